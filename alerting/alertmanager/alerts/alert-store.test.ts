import { describe, expect, test } from "vitest";
import { MemoryJournal } from "../journal/journal.ts";
import { labelMap } from "../labels.ts";
import { type AlertRecord, AlertStore } from "./alert-store.ts";
import { type KnownAlert, mergeAlerts } from "./known-alert.ts";

const MINUTE_MS = 60_000;
const alert = (fields: Partial<KnownAlert> = {}): KnownAlert => ({
  labels: labelMap({ a: "b" }),
  annotations: labelMap({}),
  startsAtMs: 0,
  endsAtMs: 5 * MINUTE_MS,
  updatedAtMs: 0,
  generatorUrl: "",
  isTimeout: false,
  fingerprint: "f",
  ...fields,
});

describe("two alerts with the same labels become one", () => {
  // It is 100 now.
  test.each<[string, Partial<KnownAlert>, Partial<KnownAlert>, Partial<KnownAlert>]>([
    ["the earliest start counts", { startsAtMs: 10 }, { startsAtMs: 20, updatedAtMs: 1 }, { startsAtMs: 10 }],
    ["a later end counts", { endsAtMs: 300 }, { endsAtMs: 200, updatedAtMs: 1 }, { endsAtMs: 300 }],
    [
      "but not when it was a guess",
      { endsAtMs: 300, isTimeout: true },
      { endsAtMs: 200, updatedAtMs: 1 },
      { endsAtMs: 200 },
    ],
    ["an end that has come beats one to come", { endsAtMs: 300 }, { endsAtMs: 90, updatedAtMs: 1 }, { endsAtMs: 90 }],
    ["of two that have come the later", { endsAtMs: 95 }, { endsAtMs: 90, updatedAtMs: 1 }, { endsAtMs: 95 }],
    [
      "what came last says the rest",
      { generatorUrl: "old" },
      { generatorUrl: "new", updatedAtMs: 1 },
      { generatorUrl: "new" },
    ],
  ])("%s", (_name, a, b, want) => {
    expect(mergeAlerts(alert(a), alert(b), 100)).toMatchObject(want);
    expect(mergeAlerts(alert(b), alert(a), 100)).toMatchObject(want);
  });
});

async function restarted(before: (store: AlertStore) => Promise<unknown>): Promise<AlertStore> {
  const journal = new MemoryJournal<AlertRecord>();
  const store = new AlertStore({ maxAlerts: 10 });
  store.keepIn(journal);
  await before(store);
  const next = new AlertStore({ maxAlerts: 10 });
  for (const record of JSON.parse(JSON.stringify(journal.records)) as AlertRecord[]) next.replay(record);
  return next;
}

test("an alert outlives a restart, its last times with it", async () => {
  const store = await restarted(async (first) => {
    await first.put([alert()], 0).durable;
    await first.put([alert({ updatedAtMs: MINUTE_MS, endsAtMs: 6 * MINUTE_MS })], MINUTE_MS).durable;
  });
  store.resume(2 * MINUTE_MS, 5 * MINUTE_MS);
  expect(store.unsettled).toEqual([alert({ updatedAtMs: MINUTE_MS, endsAtMs: 6 * MINUTE_MS })]);
});

test("one that nobody could post during an outage does not end by that", async () => {
  const store = await restarted((first) => first.put([alert()], 0).durable);
  store.resume(10 * MINUTE_MS, 5 * MINUTE_MS);
  expect(store.find("f")?.endsAtMs).toBe(15 * MINUTE_MS);
});

test("one that was said to be over is, and is told of once", async () => {
  const over = alert({ endsAtMs: MINUTE_MS, updatedAtMs: MINUTE_MS });
  const untold = await restarted((first) => first.put([over], MINUTE_MS).durable);
  untold.resume(2 * MINUTE_MS, 5 * MINUTE_MS);
  expect(untold.unsettled).toEqual([over]);
  const told = await restarted(async (first) => {
    await first.put([over], MINUTE_MS).durable;
    await first.settle(["f"], MINUTE_MS);
  });
  told.resume(2 * MINUTE_MS, 5 * MINUTE_MS);
  expect(told.unsettled).toEqual([]);
});

test("there is a limit; what is known is updated beyond it", () => {
  const store = new AlertStore({ maxAlerts: 1 });
  expect(store.put([alert(), alert({ fingerprint: "g" })], 0)).toMatchObject({ refused: 1 });
  expect(store.put([alert({ updatedAtMs: 1 })], 1)).toMatchObject({ refused: 0 });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { labelMap } from "../labels.ts";
import { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import type { Silence } from "./silence.ts";
import { Silences } from "./silences.ts";

const NOW_MS = 1_000_000;
const MINUTE_MS = 60_000;
const syntax = new MatcherSyntax("fallback");
const make = (maxSilences = 0) =>
  new Silences({ syntax, retentionMs: 10 * MINUTE_MS, maxSilences, maxSilenceBytes: 1_000 });
const wanted = (fields: Partial<Silence> = {}): Omit<Silence, "updatedAtMs"> => ({
  id: "",
  matchers: [{ name: "a", op: "=", value: "b" }],
  startsAtMs: NOW_MS,
  endsAtMs: NOW_MS + MINUTE_MS,
  createdBy: "me",
  comment: "",
  annotations: {},
  ...fields,
});

beforeEach(() => vi.useFakeTimers({ now: NOW_MS }));
afterEach(() => vi.useRealTimers());

test("a new one gets an id, and does not begin in the past", async () => {
  const silences = make();
  const id = await silences.set(wanted({ startsAtMs: 1 }));
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(silences.find(id)).toMatchObject({ startsAtMs: NOW_MS, updatedAtMs: NOW_MS });
});

describe("what is changed", () => {
  test.each<[string, Partial<Silence>, Partial<Silence>, boolean]>([
    ["the end of an active one stays the same silence", {}, { endsAtMs: NOW_MS + 5 * MINUTE_MS }, true],
    ["the start of an active one within its second too", {}, { startsAtMs: NOW_MS + 500 }, true],
    ["another start of an active one makes a new silence", {}, { startsAtMs: NOW_MS + 5_000 }, false],
    ["other matchers make a new silence", {}, { matchers: [{ name: "a", op: "=", value: "c" }] }, false],
    [
      "the start of a pending one stays the same silence",
      { startsAtMs: NOW_MS + 10_000 },
      { startsAtMs: NOW_MS + 20_000 },
      true,
    ],
    ["a pending one that shall have begun is a new silence", { startsAtMs: NOW_MS + 10_000 }, { startsAtMs: 1 }, false],
  ])("%s", async (_name, before, after, isSame) => {
    const silences = make();
    const id = await silences.set(wanted(before));
    vi.setSystemTime(NOW_MS + 100);
    const next = await silences.set(wanted({ ...before, ...after, id }));
    expect(next === id).toBe(isSame);
    if (!isSame) expect(silences.find(id)?.endsAtMs).toBe(NOW_MS + 100);
  });
});

test.each<[string, Partial<Silence>, string]>([
  ["an unknown id", { id: "x" }, "silence not found"],
  ["no matcher", { matchers: [] }, "invalid silence: matcher set 0 is empty"],
  [
    "only matchers that match nothing",
    { matchers: [{ name: "a", op: "=~", value: ".*" }] },
    "at least one matcher must not match the empty string",
  ],
  [
    "a wrong name",
    { matchers: [{ name: "", op: "=", value: "b" }] },
    'invalid label matcher 0 in set 0: invalid label name ""',
  ],
  ["a wrong expression", { matchers: [{ name: "a", op: "=~", value: "(" }] }, "invalid regular expression"],
  ["too large a comment", { comment: "x".repeat(2_000) }, "silence exceeded maximum size"],
])("%s is refused", async (_name, fields, message) => {
  await expect(make().set(wanted(fields))).rejects.toThrow(message);
});

test("there is a limit to how many there are", async () => {
  const silences = make(1);
  await silences.set(wanted());
  await expect(silences.set(wanted())).rejects.toThrow("exceeded maximum number of silences: 1 (limit: 1)");
});

test("it holds back while it is active, and is forgotten after its retention", async () => {
  const silences = make();
  const labels = labelMap({ a: "b" });
  const at = (ms: number) => silences.silencesOf("f", labels, ms);
  const id = await silences.set(wanted({ startsAtMs: NOW_MS + 1_000 }));
  expect(at(NOW_MS)).toEqual([]);
  expect(at(NOW_MS + 1_000)).toEqual([id]);
  const second = await silences.set(wanted());
  expect(at(NOW_MS + 1_000)).toEqual([id, second]);
  await silences.expire(id);
  expect(at(NOW_MS + 1_000)).toEqual([second]);
  silences.collectGarbage(NOW_MS + 10 * MINUTE_MS);
  expect(silences.all.map((one) => one.id)).toEqual([second]);
  expect(at(NOW_MS + 1_000)).toEqual([second]);
});

test("of two replicas' versions the younger counts, in whatever order they come", async () => {
  const old: Silence = { ...wanted({ id: "x" }), updatedAtMs: NOW_MS };
  const young: Silence = { ...old, comment: "young", updatedAtMs: NOW_MS + 1 };
  for (const order of [
    [old, young],
    [young, old],
  ]) {
    const silences = make();
    for (const silence of order) await silences.receive(silence);
    expect(silences.all).toEqual([young]);
  }
});

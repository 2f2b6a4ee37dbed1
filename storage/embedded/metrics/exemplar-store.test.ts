import { labelsFrom } from "@sightline/model/labels.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { ExemplarStore } from "./exemplar-store.ts";
import { TimeSlice } from "./time-slice.ts";

const EVERYTHING = { tenant: DEFAULT_TENANT, range: { startMs: 0, endMs: 1e13 }, matchers: [] };
const exemplar = (timeMs: number) => ({ timeMs, value: 1, labels: labelsFrom({ trace_id: "t" }) });

test("keeps the newest ones and forgets series that have none left", async () => {
  const store = new ExemplarStore(3);
  for (let i = 0; i < 8; i++) store.append(labelsFrom({ series: i < 6 ? "old" : "new" }), exemplar(i));
  const found = await store.select(EVERYTHING, new TimeSlice());
  expect(found.map(({ labels, exemplars }) => [labels[0]?.[1], exemplars.map(({ timeMs }) => timeMs)])).toEqual([
    ["old", [5]],
    ["new", [6, 7]],
  ]);
  store.append(labelsFrom({ series: "new" }), exemplar(9));
  expect(await store.select(EVERYTHING, new TimeSlice())).toHaveLength(1);
});

test("takes the same exemplar once, until it has been forgotten", () => {
  const store = new ExemplarStore(1);
  const labels = labelsFrom({ a: "1" });
  expect(store.append(labels, exemplar(1))).toBe(true);
  expect(store.append(labels, exemplar(1))).toBe(false);
  expect(store.append(labels, exemplar(2))).toBe(true);
  expect(store.append(labels, exemplar(1))).toBe(true);
  expect(store.length).toBe(1);
});

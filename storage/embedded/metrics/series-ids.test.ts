import { labelsFrom } from "@sightline/model/labels.ts";
import { SeriesKey } from "@sightline/model/metric-batch.ts";
import { expect, test } from "vitest";
import { SeriesIds } from "./series-ids.ts";

const tableOf = (count: number) => Array.from({ length: count }, (_, i) => new SeriesKey(labelsFrom({ i: String(i) })));

test("a noted number is known by its reference until it is forgotten, also after the table has grown", () => {
  const ids = new SeriesIds();
  const series = tableOf(2);
  ids.note(ids.of(series), 1, 5000);
  expect([...ids.of(series)]).toEqual([0, 5001]);
  series.push(...tableOf(3));
  expect([...ids.of(series).subarray(0, 5)]).toEqual([0, 5001, 0, 0, 0]);
  ids.forget(5000);
  ids.forget(70);
  expect(ids.of(series)[1]).toBe(0);
});

test("of two references to one series only the first is known, so that forgetting the series forgets all", () => {
  const ids = new SeriesIds();
  const series = tableOf(2);
  ids.note(ids.of(series), 0, 7);
  ids.note(ids.of(series), 1, 7);
  expect([...ids.of(series)]).toEqual([8, 0]);
  ids.forget(7);
  expect([...ids.of(series)]).toEqual([0, 0]);
});

test("another table is not confused with the remembered one, and takes its place when that comes no more", () => {
  const ids = new SeriesIds();
  const [old, other] = [tableOf(1), tableOf(1)];
  ids.note(ids.of(old), 0, 1);
  for (let i = 0; i < 10; i++) {
    const known = ids.of(other);
    expect(known[0] ?? 0).toBe(0);
    ids.note(known, 0, 1);
    expect(ids.of(old)[0]).toBe(2);
  }
  for (let i = 0; i < 100; i++) ids.note(ids.of(other), 0, 9);
  expect(ids.of(other)[0]).toBe(10);
  expect(ids.of(old)[0] ?? 0).toBe(0);
});

import { isStaleAt, wordsOf, writeStale } from "@sightline/model/stale.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SampleJoiner } from "./join-samples.ts";

const part = (timesMs: readonly number[], value: number) => ({
  timesMs: Float64Array.from(timesMs),
  values: new Float64Array(timesMs.length).fill(value),
});

test("parts apart from each other come one behind the other, and the same times make the same array", () => {
  const joiner = new SampleJoiner();
  const [older, newer] = [part([1, 2], 1), part([3], 2)];
  const joined = joiner.join([newer, older]);
  expect([Array.from(joined.timesMs), Array.from(joined.values)]).toEqual([
    [1, 2, 3],
    [1, 1, 2],
  ]);
  const others = joiner.join([
    { ...older, values: Float64Array.of(5, 6) },
    { ...newer, values: Float64Array.of(7) },
  ]);
  expect(others.timesMs).toBe(joined.timesMs);
  expect(Array.from(others.values)).toEqual([5, 6, 7]);
});

test("a part alone is given as it is, and none has no samples", () => {
  const alone = part([1], 1);
  expect(new SampleJoiner().join([part([], 0), alone])).toBe(alone);
  expect(new SampleJoiner().join([part([], 0)]).timesMs).toHaveLength(0);
});

test("what has no count stands for itself, and markers stay what they are", () => {
  const late = part([2, 5], 9);
  writeStale(wordsOf(late.values), 0);
  const joined = new SampleJoiner().join([{ ...part([1, 4], 20), counts: Float64Array.of(4, 5) }, late]);
  expect(Array.from(joined.timesMs)).toEqual([1, 2, 4, 5]);
  expect(Array.from(joined.counts ?? [])).toEqual([4, 1, 5, 1]);
  expect(isStaleAt(wordsOf(joined.values), 1)).toBe(true);
});

test("any parts are merged by time, and of equal times the first part's counts", () => {
  const times = fc.uniqueArray(fc.integer({ min: 0, max: 40 })).map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.array(times, { maxLength: 4 }), (parts) => {
      const want = new Map<number, number>();
      for (const [i, all] of parts.entries()) for (const time of all) if (!want.has(time)) want.set(time, i);
      const joined = new SampleJoiner().join(parts.map(part));
      const got = Array.from(joined.timesMs, (timeMs, i) => [timeMs, joined.values[i]]);
      expect(got).toEqual([...want].sort(([a], [b]) => a - b));
    }),
  );
});

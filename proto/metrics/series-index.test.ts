import { type Label, labelsFrom } from "@sightline/model/labels.ts";
import { NO_INFO, SeriesKey } from "@sightline/model/metric-batch.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashLabels, SeriesIndex } from "./series-index.ts";

test("every series is found again by equal labels and info, and nothing else is", () => {
  const label = fc.tuple(fc.string({ minLength: 1, maxLength: 3 }), fc.string({ minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(fc.array(label, { maxLength: 3 }), { maxLength: 1_500 }), (sets) => {
      const series: SeriesKey[] = [];
      const index = new SeriesIndex(series);
      const expected = new Map<string, number>();
      const copy = (pairs: readonly [string, string][]) =>
        labelsFrom(pairs.map(([name, value]): Label => [name, value]));
      for (const pairs of sets) {
        const labels = copy(pairs);
        const id = JSON.stringify(labels);
        const found = index.find(hashLabels(labels), labels, NO_INFO);
        expect(found).toBe(expected.get(id) ?? -1);
        if (found >= 0) continue;
        expected.set(id, series.push(new SeriesKey(labels)) - 1);
        index.add(hashLabels(labels), series.length - 1);
      }
      for (const pairs of sets) {
        const labels = copy(pairs);
        expect(index.find(hashLabels(labels), labels, NO_INFO)).toBe(expected.get(JSON.stringify(labels)));
        expect(index.find(hashLabels(labels), labels, { ...NO_INFO, type: "counter" })).toBe(-1);
      }
    }),
    { numRuns: 20 },
  );
});

import { EMPTY_LABELS } from "@sightline/model/labels.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import { wordsOf, writeStale } from "@sightline/model/stale.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rangeInputOf } from "./range-input.ts";

const STALE = "stale";
const SAMPLE = fc.oneof(
  { weight: 6, arbitrary: fc.nat(9) },
  { weight: 2, arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.7e308) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, STALE) },
);

test("only staleness markers are left out, wherever they are", () => {
  fc.assert(
    fc.property(fc.array(SAMPLE, { maxLength: 20 }), fc.boolean(), (samples, needsResets) => {
      const timesMs = Float64Array.from(samples, (_, i) => i);
      const values = Float64Array.from(samples, (sample) => Number(sample));
      for (const [i, sample] of samples.entries()) if (sample === STALE) writeStale(wordsOf(values), i);
      const input = rangeInputOf({ labels: EMPTY_LABELS, info: NO_INFO, timesMs, values }, needsResets);
      const kept = [...samples.keys()].filter((i) => samples[i] !== STALE);
      expect([...input.timesMs]).toEqual(kept);
      expect([...input.values]).toEqual(kept.map((i) => samples[i]));
    }),
    { numRuns: 1_000 },
  );
});

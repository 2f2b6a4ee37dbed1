import { type NativeHistogram, STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf, type SeriesRows, STALE, type Stale } from "./metric-batch-of.ts";
import { plainSlice, selectAll } from "./metric-rows.ts";
import type { MetricStoreFixture } from "./metric-store-fixture.ts";
import { ReferenceMetricStore } from "./reference-metric-store.ts";

const NOW = Date.now();

/** Any history of appends, flushes and crashes with replay leaves the store with what the reference store has. */
export function describeRandomHistories(make: () => Promise<MetricStoreFixture>): void {
  test("agrees with the reference store after any history", { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.array(query, { maxLength: 4 }), run(make)),
      { numRuns: 20 },
    ),
  );
}

const time = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((i) => NOW - 3_600_000 + i * 1000),
  fc.integer({ min: 0, max: 5 * 24 }).map((i) => NOW - i * 3_600_000),
);
const value: fc.Arbitrary<number | Stale> = fc.oneof(
  fc.integer({ min: 0, max: 1000 }),
  fc.integer({ min: 0, max: 1000 }).map((i) => i / 100),
  fc.double().map((number) => (Number.isNaN(number) ? Number.NaN : number)),
  fc.constant(STALE),
);
const histogram: fc.Arbitrary<NativeHistogram> = fc
  .integer({ min: 0, max: 5 })
  .map((n) => (n === 0 ? STALE_HISTOGRAM : sampleHistogram(n)));
const labels = fc.record({ __name__: fc.constantFrom("a", "b"), job: fc.constantFrom("", "x", "y") });
const start = fc.constantFrom(0, 0, NOW - 7_200_000);
const row: fc.Arbitrary<SeriesRows> = fc.oneof(
  fc.record({ labels, samples: fc.array(fc.tuple(time, value, start), { maxLength: 12 }) }),
  fc.record({
    labels: labels.map((all) => ({ ...all, kind: "histogram" })),
    samples: fc.array(fc.tuple(time, histogram, start), { maxLength: 4 }),
  }),
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(row, { maxLength: 5 }) },
  { weight: 2, arbitrary: fc.constantFrom("flush" as const, "crash" as const) },
);
const query = fc.record({
  range: fc.tuple(time, time).map(([a, b]) => ({ startMs: Math.min(a, b), endMs: Math.max(a, b) })),
  matchers: fc.array(
    fc.record({
      name: fc.constantFrom("__name__", "job", "kind"),
      op: fc.constantFrom("=", "!=", "=~", "!~"),
      value: fc.constantFrom("", "a", "x", "x|y", "h.*", ".+"),
    }) satisfies fc.Arbitrary<Matcher>,
    { maxLength: 2 },
  ),
  sorted: fc.boolean(),
  transient: fc.boolean(),
});
type GeneratedBy<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Step = GeneratedBy<typeof step>;
type Query = GeneratedBy<typeof query>;

function run(make: () => Promise<MetricStoreFixture>) {
  return async (steps: readonly Step[], queries: readonly Query[]): Promise<void> => {
    const fixture = await make();
    const reference = new ReferenceMetricStore();
    let store = fixture.store;
    const log: MetricBatch[] = [];
    try {
      for (const action of steps) {
        if (action === "flush") await store.flush();
        else if (action === "crash") {
          store = await fixture.reopen();
          for (const [i, batch] of log.entries()) await store.append(DEFAULT_TENANT, batch, i + 1);
        } else {
          const batch = metricBatchOf(action);
          log.push(batch);
          await store.append(DEFAULT_TENANT, batch, log.length);
          await reference.append(DEFAULT_TENANT, batch, log.length);
        }
      }
      for (const selection of [{ sorted: false, transient: false }, ...queries]) {
        const got = [...(await selectAll(store, selection))].map(([key, slice]) => [key, plainSlice(slice)] as const);
        const want = [...(await selectAll(reference, selection))].map(
          ([key, slice]) => [key, plainSlice(slice)] as const,
        );
        expect(new Map(got)).toEqual(new Map(want));
        // The reference store sorts always.
        if (selection.sorted) expect(got.map(([key]) => key)).toEqual(want.map(([key]) => key));
      }
    } finally {
      await fixture.dispose();
    }
  };
}

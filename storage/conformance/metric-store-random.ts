import { type NativeHistogram, STALE_HISTOGRAM } from "@sightline/model/histogram.ts";
import { labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf, type SeriesRows, STALE, type Stale } from "./metric-batch-of.ts";
import { EVERYTHING, NO_SIGNAL, plainSlice, requestOf, type Selection, selectAll } from "./metric-rows.ts";
import type { MetricStoreFixture } from "./metric-store-fixture.ts";
import { ReferenceMetricStore } from "./reference-metric-store.ts";

const NOW = Date.now();

/** Any history of appends, deletions, flushes and crashes with replay leaves the store with what the reference store has. */
export function describeRandomHistories(make: () => Promise<MetricStoreFixture>): void {
  test("agrees with the reference store after any history", { timeout: 600_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), fc.array(query, { maxLength: 4 }), run(make)),
      { numRuns: rounds(8) },
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
const range = fc.tuple(time, time).map(([a, b]) => ({ startMs: Math.min(a, b), endMs: Math.max(a, b) }));
const matchers = fc.array(
  fc.record({
    name: fc.constantFrom("__name__", "job", "kind"),
    op: fc.constantFrom("=", "!=", "=~", "!~"),
    value: fc.constantFrom("", "a", "x", "x|y", "h.*", ".+"),
  }) satisfies fc.Arbitrary<Matcher>,
  { maxLength: 2 },
);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), rows: fc.array(row, { maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("flush" as const, "crash" as const, "purge" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("delete" as const),
      range: fc.oneof(range, fc.constant(EVERYTHING)),
      matchers,
    }),
  },
);
const query = fc.record({
  range,
  matchers,
  sorted: fc.boolean(),
  transient: fc.boolean(),
});
type GeneratedBy<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Step = GeneratedBy<typeof step>;
type Query = GeneratedBy<typeof query>;

function run(make: () => Promise<MetricStoreFixture>) {
  return async (steps: readonly Step[], queries: readonly Query[]): Promise<void> => {
    const fixture = await make();
    const history = new History(fixture);
    try {
      for (const action of steps) await history.take(action);
      for (const selection of [{ sorted: false, transient: false }, ...queries]) {
        await expectSame(history.store, history.reference, selection);
      }
    } finally {
      await fixture.dispose();
    }
  };
}

/** Does the same to a store under test and to the reference store, which never crashes. */
class History {
  readonly reference = new ReferenceMetricStore();
  store: MetricStore;
  readonly #fixture: MetricStoreFixture;
  readonly #log: MetricBatch[] = [];

  constructor(fixture: MetricStoreFixture) {
    this.#fixture = fixture;
    this.store = fixture.store;
  }

  async take(step: Step): Promise<void> {
    const { store, reference } = this;
    if (step.do === "append") {
      const batch = metricBatchOf(step.rows);
      const position = this.#log.push(batch);
      await store.append(DEFAULT_TENANT, batch, position);
      await reference.append(DEFAULT_TENANT, batch, position);
    }
    if (step.do === "flush") await store.flush();
    if (step.do === "crash") await this.#crash();
    if (step.do === "purge") await store.administration?.purgeDeleted(DEFAULT_TENANT);
    if (step.do === "delete" && store.administration) {
      const { range, matchers } = step;
      await store.administration.deleteSamples({ tenant: DEFAULT_TENANT, range, matchers });
      await reference.administration.deleteSamples({ tenant: DEFAULT_TENANT, range, matchers });
    }
  }

  async #crash(): Promise<void> {
    this.store = await this.#fixture.reopen();
    for (const [i, batch] of this.#log.entries()) await this.store.append(DEFAULT_TENANT, batch, i + 1);
  }
}

async function expectSame(store: MetricStore, reference: MetricStore, selection: Selection): Promise<void> {
  const plain = async (of: MetricStore) =>
    [...(await selectAll(of, selection))].map(([key, slice]) => [key, plainSlice(slice)] as const);
  const [got, want] = [await plain(store), await plain(reference)];
  expect(new Map(got)).toEqual(new Map(want));
  // The reference store sorts always.
  if (selection.sorted) expect(got.map(([key]) => key)).toEqual(want.map(([key]) => key));
  if (store.administration) await expectSameLabels(store, reference, selection);
}

/** Of the series that match; stores that list by block may list too many, but none of which everything is deleted. */
async function expectSameLabels(store: MetricStore, reference: MetricStore, selection: Selection): Promise<void> {
  const request = requestOf({ ...selection, range: EVERYTHING });
  const listed = async (of: MetricStore) => (await of.series(request, NO_SIGNAL)).map(labelsKey).sort();
  expect(await listed(store)).toEqual(await listed(reference));
  expect(await store.labelNames(request, NO_SIGNAL)).toEqual(await reference.labelNames(request, NO_SIGNAL));
  for (const name of ["job", "__name__"]) {
    expect(await store.labelValues(name, request, NO_SIGNAL)).toEqual(
      await reference.labelValues(name, request, NO_SIGNAL),
    );
  }
}

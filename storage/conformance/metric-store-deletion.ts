import { compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { MetricAdministration, MetricStore } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { describe, expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf } from "./metric-batch-of.ts";
import { EVERYTHING, NO_SIGNAL, onlySamples, requestOf, selectAll } from "./metric-rows.ts";
import { type Given, MINUTE, OTHER_TENANT, T } from "./metric-store-fixture.ts";

const A: Matcher[] = [{ name: "a", op: "=", value: "1" }];
const minutes = (from: number, to: number): TimeRange => ({ startMs: T + from * MINUTE, endMs: T + to * MINUTE });
const samples = (...at: number[]) => at.map((minute) => [T + minute * MINUTE, minute] as [number, number]);
const batch = (at: readonly number[], labels: Record<string, string> = { a: "1" }) =>
  metricBatchOf([{ labels, samples: samples(...at) }]);

/** Only of stores that can delete. */
export function describeDeletion(given: Given): void {
  /** The store and a function that deletes, or a skipped test. */
  const deleting = (skip: () => never) => {
    const { store, fixture } = given();
    const administration = store.administration ?? skip();
    return { store, fixture, administration, ...deleteOf(administration) };
  };

  describe.each([
    ["unflushed", false],
    ["flushed", true],
  ] as const)("deleting %s samples", (_, flushed) => {
    const write = async (
      store: MetricStore,
      at: readonly number[],
      position: number,
      labels?: Record<string, string>,
    ) => {
      await store.append(DEFAULT_TENANT, batch(at, labels), position);
      if (flushed) await store.flush();
    };

    test("takes those of the range, both ends included, of the matching series", async ({ skip }) => {
      const { store, remove } = deleting(skip);
      await write(store, [0, 1, 2, 3, 4], 1);
      await write(store, [1, 2], 2, { a: "2" });
      await remove(A, minutes(1, 3));
      expect(await onlySamples(store, { matchers: A })).toEqual(samples(0, 4));
      expect(await onlySamples(store, { matchers: A, range: minutes(1, 3) })).toEqual([]);
      expect(await onlySamples(store, { matchers: A, range: minutes(3, 4) })).toEqual(samples(4));
      expect(await onlySamples(store, { matchers: [{ name: "a", op: "=", value: "2" }] })).toEqual(samples(1, 2));
    });

    test("keeps it so after a crash with replay, and after the space is freed", async ({ skip }) => {
      const { store, fixture, administration, remove } = deleting(skip);
      await write(store, [0, 1, 2], 1);
      await remove(A, minutes(1, 1));
      const reopened = await fixture.reopen();
      await reopened.append(DEFAULT_TENANT, batch([0, 1, 2]), 1);
      expect(await onlySamples(reopened)).toEqual(samples(0, 2));
      for (const kept of [
        { store, administration },
        { store: reopened, administration: reopened.administration },
      ]) {
        await kept.administration?.purgeDeleted(DEFAULT_TENANT);
        expect(await onlySamples(kept.store)).toEqual(samples(0, 2));
      }
      expect(await onlySamples(await fixture.reopen())).toEqual(samples(0, 2));
    });

    test("lets samples that are written later count, also at the very times", async ({ skip }) => {
      const { store, administration, remove } = deleting(skip);
      await write(store, [0, 1, 2], 1);
      await remove(A, EVERYTHING);
      expect(await onlySamples(store)).toEqual([]);
      const other = metricBatchOf([{ labels: { a: "1" }, samples: [[T + 2 * MINUTE, 7]] }]);
      expect((await store.append(DEFAULT_TENANT, other, 2)).rejected).toEqual([]);
      await write(store, [1, 3], 3);
      const want = [
        [T + MINUTE, 1],
        [T + 2 * MINUTE, 7],
        [T + 3 * MINUTE, 3],
      ];
      expect(await onlySamples(store)).toEqual(want);
      await store.flush();
      await administration.purgeDeleted(DEFAULT_TENANT);
      expect(await onlySamples(store)).toEqual(want);
    });

    test("touches nobody else's samples", async ({ skip }) => {
      const { store, administration, remove } = deleting(skip);
      await write(store, [0, 1], 1);
      await store.append(OTHER_TENANT, batch([0, 1]), 2);
      await remove([], EVERYTHING, OTHER_TENANT);
      await administration.purgeDeleted(OTHER_TENANT);
      expect(await onlySamples(store)).toEqual(samples(0, 1));
      expect(await onlySamples(store, { tenant: OTHER_TENANT })).toEqual([]);
    });

    test("takes the names of series without a sample out of every list", async ({ skip }) => {
      const { store, remove } = deleting(skip);
      await write(store, [0, 1], 1, { a: "1", only: "x" });
      await write(store, [0, 1, 2], 2, { a: "2", other: "y" });
      await remove(A, minutes(0, 1));
      await remove([{ name: "a", op: "=", value: "2" }], minutes(1, 1));
      const all = requestOf({});
      expect(await store.series(all, NO_SIGNAL)).toHaveLength(1);
      expect(await store.series({ ...all, limit: 1 }, NO_SIGNAL)).toEqual([
        [
          ["a", "2"],
          ["other", "y"],
        ],
      ]);
      expect(await store.labelNames(all, NO_SIGNAL)).toEqual(["a", "other"]);
      expect(await store.labelNames({ ...all, matchers: [{ name: "a", op: "!=", value: "" }] }, NO_SIGNAL)).toEqual([
        "a",
        "other",
      ]);
      expect(await store.labelValues("a", all, NO_SIGNAL)).toEqual(["2"]);
      expect([...(await selectAll(store))]).toHaveLength(1);
    });

    test("takes histograms, and leaves exemplars alone", async ({ skip }) => {
      const { store, remove } = deleting(skip);
      const exemplars = [{ timeMs: T, value: 1, labels: [["trace_id", "1"]] as [string, string][] }];
      const histograms = [0, 1, 2].map((i) => [T + i * MINUTE, sampleHistogram(i + 1)] as const);
      await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { a: "1" }, samples: histograms, exemplars }]), 1);
      if (flushed) await store.flush();
      await remove(A, minutes(0, 1));
      const [slice] = (await selectAll(store)).values();
      expect(Array.from(slice?.histograms?.timesMs ?? [])).toEqual([T + 2 * MINUTE]);
      expect(await store.exemplars(requestOf({}), NO_SIGNAL)).toHaveLength(1);
    });

    test("is among the changes, in its range only", async ({ skip }) => {
      const { store, remove } = deleting(skip);
      const changes = store.changes ?? skip();
      await write(store, [-40, 0, 40], 1);
      const version = await changes.version(DEFAULT_TENANT);
      await remove([{ name: "a", op: "=", value: "none" }], EVERYTHING);
      await remove(A, minutes(-2, 2));
      const { ranges } = await changes.since(DEFAULT_TENANT, version, minutes(-50, 50));
      const covers = (minute: number) =>
        ranges.some(({ startMs, endMs }) => startMs <= T + minute * MINUTE && endMs >= T + minute * MINUTE);
      expect([covers(-40), covers(0), covers(40)]).toEqual([false, true, false]);
    });
  });

  test("takes many small parts of floats and histograms", async ({ skip }) => {
    const { store, remove } = deleting(skip);
    const at = Array.from({ length: 40 }, (_, i) => i);
    const histograms = at.map((i) => [T + i * MINUTE, sampleHistogram(i + 1)] as const);
    await store.append(DEFAULT_TENANT, batch(at), 1);
    await store.append(DEFAULT_TENANT, metricBatchOf([{ labels: { a: "1", h: "1" }, samples: histograms }]), 2);
    for (let i = 1; i < 40; i += 3) await remove(A, minutes(i, i + 1));
    const left = at.filter((i) => i % 3 === 0);
    const slices = [...(await selectAll(store)).values()];
    const times = slices.map(({ timesMs, histograms }) => Array.from(histograms?.timesMs ?? timesMs));
    expect(times).toEqual([left, left].map((minutes) => minutes.map((i) => T + i * MINUTE)));
    expect(await onlySamples(store, { matchers: [{ name: "h", op: "=", value: "" }] })).toEqual(samples(...left));
  });

  test("deleting again and again, and what is not there, is no error", async ({ skip }) => {
    const { store, remove } = deleting(skip);
    await remove(A, EVERYTHING);
    await store.append(DEFAULT_TENANT, batch([0, 1, 2, 3]), 1);
    for (const minute of [0, 2, 0, 1]) await remove(A, minutes(minute, minute));
    await remove(A, minutes(3, 2));
    await remove(A, { startMs: Number.NEGATIVE_INFINITY, endMs: T - 1 });
    expect(await onlySamples(store)).toEqual(samples(3));
  });

  test("a regular expression that is none deletes nothing", async ({ skip }) => {
    const { store, remove } = deleting(skip);
    await store.append(DEFAULT_TENANT, batch([0]), 1);
    const matchers: Matcher[] = [{ name: "a", op: "=~", value: "(" }];
    expect(() => compileMatchers(matchers)).toThrow();
    await expect(remove(matchers, EVERYTHING)).rejects.toThrow("invalid regular expression");
    expect(await onlySamples(store)).toEqual(samples(0));
  });
}

function deleteOf(administration: MetricAdministration) {
  const remove = (matchers: readonly Matcher[], range: TimeRange, tenant: TenantId = DEFAULT_TENANT) =>
    administration.deleteSamples({ tenant, range, matchers });
  return { remove };
}

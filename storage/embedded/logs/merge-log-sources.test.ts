import type { LogBatch } from "@sightline/model/log-batch.ts";
import { logBatchOf, logRowsOf } from "@sightline/storage-conformance/log-batch-of.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogSource } from "./log-source.ts";
import { mergeLogSources } from "./merge-log-sources.ts";

/** Batches of times; each source must be sorted. */
function sourceOf(batches: readonly (readonly number[])[], log: string[] = [], name = ""): LogSource {
  async function* open(): AsyncGenerator<LogBatch> {
    log.push(`open ${name}`);
    try {
      for (const times of batches) yield logBatchOf(times.map((time) => ({ timeNs: BigInt(time), body: `${time}` })));
    } finally {
      log.push(`close ${name}`);
    }
  }
  return { firstNs: BigInt(batches[0]?.[0] ?? 0), isSure: true, open };
}

async function merge(sources: readonly LogSource[], newestFirst: boolean, limit: number): Promise<number[]> {
  const times: number[] = [];
  for await (const batch of mergeLogSources(sources, newestFirst, limit)) {
    times.push(...logRowsOf(batch).map(({ timeNs }) => Number(timeNs)));
  }
  return times;
}

test("merges any sorted sources in both directions up to the limit", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 5 }), { maxLength: 4 })),
      fc.boolean(),
      fc.integer({ min: 1, max: 60 }),
      async (lists, newestFirst, limit) => {
        const ascending = (a: number, b: number) => (newestFirst ? b - a : a - b);
        const sources = lists.map((batches) => {
          const sorted = batches.flat().sort(ascending);
          return sourceOf(batches.map(({ length }) => sorted.splice(0, length)));
        });
        expect(await merge(sources, newestFirst, limit)).toEqual(lists.flat(2).sort(ascending).slice(0, limit));
      },
    ),
  ));

test("does not open sources that the limit makes needless, and closes those it opened", async () => {
  const log: string[] = [];
  const sources = [sourceOf([[1, 2]], log, "old"), sourceOf([[9], [8]], log, "new"), sourceOf([[7]], log, "middle")];
  expect(await merge(sources, true, 2)).toEqual([9, 8]);
  expect(log).toEqual(["open new", "close new"]);
});

test("hands on long runs of one source", async () => {
  const long = Array.from({ length: 1_000 }, (_, i) => i);
  const lengths: number[] = [];
  for await (const { length } of mergeLogSources([sourceOf([long]), sourceOf([[500]])], false, 10_000))
    lengths.push(length);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(1_001);
  expect(lengths[0]).toBe(501);
});

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
  const times = batches.flat();
  return {
    firstNs: BigInt(times[0] ?? 0),
    lastNs: BigInt(times.at(-1) ?? 0),
    mayOpenAhead: false,
    isSure: true,
    open,
  };
}

/** Like a file of whose rows only the times of all of them, `margin` wider, are known before its index is read. */
function wideSourceOf(
  batches: readonly (readonly number[])[],
  margin: number,
  log?: string[],
  name?: string,
): LogSource {
  const source = sourceOf(batches, log, name);
  const { firstNs, lastNs } = source;
  const narrow = async () => (batches.length > 0 ? firstNs : undefined);
  return { ...source, firstNs: firstNs - BigInt(margin), lastNs: lastNs + BigInt(margin), narrow, mayOpenAhead: true };
}

async function merge(sources: readonly LogSource[], newestFirst: boolean, limit: number): Promise<number[]> {
  const times: number[] = [];
  for await (const batch of mergeLogSources(sources, newestFirst, limit)) {
    times.push(...logRowsOf(batch).map(({ timeNs }) => Number(timeNs)));
  }
  return times;
}

/** A run that is passed on as it is, and rows that are collected. */
test.each([1_000, 3])(
  "whoever stops asking in the middle closes all that was opened (sources of %i rows)",
  async (rows) => {
    const log: string[] = [];
    const times = Array.from({ length: rows }, (_, i) => i);
    const sources = ["a", "b"].map((name) => sourceOf([times, times.map((time) => time + rows)], log, name));
    for await (const _ of mergeLogSources(sources, false, 4 * rows)) break;
    expect(log.filter((line) => line.startsWith("close")).sort()).toEqual(["close a", "close b"]);
  },
);

test("merges any sorted sources in both directions up to the limit", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 5 }), { maxLength: 4 })),
      fc.boolean(),
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.option(fc.integer({ min: 0, max: 9 })), { minLength: 1, maxLength: 5 }),
      async (lists, newestFirst, limit, margins) => {
        const ascending = (a: number, b: number) => (newestFirst ? b - a : a - b);
        const sources = lists.map((batches, i) => {
          const sorted = batches.flat().sort(ascending);
          const inOrder = batches.map(({ length }) => sorted.splice(0, length));
          const margin = margins[i % margins.length] ?? null;
          return margin === null ? sourceOf(inOrder) : wideSourceOf(inOrder, newestFirst ? -margin : margin);
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

test("does not open what turns out to begin later; opens ahead what overlaps, and closes it", async () => {
  const log: string[] = [];
  const sources = [
    wideSourceOf([[20], [19, 10]], 0, log, "first"),
    wideSourceOf([[12]], 9, log, "later than it seemed"),
    wideSourceOf([[15]], 3, log, "ahead"),
    wideSourceOf([], 30, log, "empty"),
  ];
  expect(await merge(sources, true, 2)).toEqual([20, 19]);
  expect(log).toEqual(["open first", "open ahead", "close ahead", "close first"]);
});

test("hands on long runs of one source", async () => {
  const long = Array.from({ length: 1_000 }, (_, i) => i);
  const lengths: number[] = [];
  for await (const { length } of mergeLogSources([sourceOf([long]), sourceOf([[500]])], false, 10_000))
    lengths.push(length);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(1_001);
  expect(lengths[0]).toBe(501);
});

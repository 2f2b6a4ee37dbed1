import { compareLabels } from "@sightline/model/labels.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { type BlockSummary, BlockWriter } from "./block-writer.ts";
import { firstFrom } from "./first-from.ts";
import { JoinedSeries } from "./joined-series.ts";
import { readSeries } from "./read-series.ts";
import type { AssembledSeries } from "./series-assembler.ts";
import type { SeriesSource } from "./series-source.ts";
import { sortRows } from "./sort-rows.ts";
import { TimeSlice } from "./time-slice.ts";

/** Blocks never cross a multiple of this (a day in UTC), so that retention can drop whole files. */
export const PARTITION_MS = 24 * 3_600_000;

export type WrittenBlock = BlockSummary & {
  readonly path: string;
  readonly partition: number;
  /** Not as it came: to what resolution, and whether there is a file of windows beside it. */
  readonly downsampled?: { readonly resolutionMs: number; readonly windows: boolean };
};

const EVERYTHING = { startMs: Number.MIN_SAFE_INTEGER, endMs: Number.MAX_SAFE_INTEGER };

/**
 * Writes all that the sources hold (oldest write first) as durable block files, one per partition. Leaves no file behind when it fails. Gives way to other work every few milliseconds.
 */
export async function writeBlocks(
  sources: readonly SeriesSource[],
  nextPath: (partition: number) => string,
): Promise<WrittenBlock[]> {
  const slice = TimeSlice.inBackground();
  const selections = sources.map((source) => ({
    source,
    ids: Array.from({ length: source.seriesCount }, (_, id) => id),
  }));
  const joined = await JoinedSeries.from(selections, slice);
  const rows = await sortRows(joined.length, (a, b) => compareLabels(joined.labelsOf(a), joined.labelsOf(b)), slice);
  const writers = new Map<number, BlockWriter>();
  try {
    const open = (source: SeriesSource, ids: readonly number[]) => source.open(ids, EVERYTHING);
    for await (const group of readSeries(joined, rows, EVERYTHING, slice, true, open)) {
      for (const series of group) {
        for (const [partition, part] of byPartition(series)) {
          let writer = writers.get(partition);
          if (!writer) {
            writer = await BlockWriter.create(nextPath(partition));
            writers.set(partition, writer);
          }
          writer.add(series.labels, series.info, part);
        }
        if (slice.due) await slice.pause();
      }
      for (const writer of writers.values()) await writer.drain();
    }
    const written: WrittenBlock[] = [];
    for (const [partition, writer] of writers) {
      written.push({ ...(await writer.finish()), path: writer.path, partition });
    }
    return written;
  } catch (error) {
    for (const writer of writers.values()) await writer.abort();
    throw error;
  }
}

function* byPartition(series: SeriesSlice): Generator<[partition: number, part: AssembledSeries]> {
  const { timesMs, values, startsMs, histograms } = series;
  const newestMs = Math.max(
    timesMs.at(-1) ?? Number.NEGATIVE_INFINITY,
    histograms?.timesMs.at(-1) ?? Number.NEGATIVE_INFINITY,
  );
  let fromMs = Math.min(timesMs[0] ?? Number.POSITIVE_INFINITY, histograms?.timesMs[0] ?? Number.POSITIVE_INFINITY);
  while (fromMs <= newestMs) {
    const partition = Math.floor(fromMs / PARTITION_MS);
    const endMs = (partition + 1) * PARTITION_MS;
    if (fromMs === timesMs[0] && newestMs < endMs) {
      yield [partition, series];
      return;
    }
    const [from, to] = [firstFrom(timesMs, fromMs), firstFrom(timesMs, endMs)];
    const [first, last] = histograms
      ? [firstFrom(histograms.timesMs, fromMs), firstFrom(histograms.timesMs, endMs)]
      : [0, 0];
    yield [
      partition,
      {
        timesMs: timesMs.subarray(from, to),
        values: values.subarray(from, to),
        startsMs: startsMs?.subarray(from, to),
        histograms:
          histograms && first < last
            ? {
                timesMs: histograms.timesMs.subarray(first, last),
                values: histograms.values.slice(first, last),
                startsMs: histograms.startsMs?.subarray(first, last),
              }
            : undefined,
      },
    ];
    fromMs = Math.min(timesMs[to] ?? Number.POSITIVE_INFINITY, histograms?.timesMs[last] ?? Number.POSITIVE_INFINITY);
  }
}

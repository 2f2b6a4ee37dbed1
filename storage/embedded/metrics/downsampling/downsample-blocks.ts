import { downsampleSeries } from "@sightline/model/downsampling/downsample-series.ts";
import type { Windows } from "@sightline/model/downsampling/windows.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { BlockWriter } from "../block-writer.ts";
import { JoinedSeries } from "../joined-series.ts";
import { readSeries } from "../read-series.ts";
import { SeriesAssembler } from "../series-assembler.ts";
import { visibleOf } from "../series-mask.ts";
import type { SeriesSource } from "../series-source.ts";
import { TimeSlice } from "../time-slice.ts";
import type { WrittenBlock } from "../write-blocks.ts";
import { type WindowsFile, WindowsFileWriter, windowsPathOf } from "./windows-file.ts";

const EVERYTHING: TimeRange = { startMs: Number.MIN_SAFE_INTEGER, endMs: Number.MAX_SAFE_INTEGER };
const GROUP_SERIES = 256;

/** Samples to be downsampled: those of blocks of one partition, oldest write first, or of one that was downsampled before. */
export type DownsampleInput =
  | { readonly sources: readonly SeriesSource[] }
  | { readonly source: SeriesSource; readonly windows: WindowsFile };
type Item = { readonly series: SeriesSlice; readonly windows: Windows | undefined };

/**
 * Writes all that the input holds as one durable block with a file of windows beside it; none when it holds nothing.
 * Leaves no file behind when it fails. Gives way to other work every few milliseconds.
 */
export async function downsampleBlocks(
  input: DownsampleInput,
  resolutionMs: number,
  partition: number,
  path: string,
): Promise<WrittenBlock[]> {
  const slice = TimeSlice.inBackground();
  const samples = await BlockWriter.create(path);
  let windows: WindowsFileWriter | undefined;
  try {
    windows = await WindowsFileWriter.create(windowsPathOf(path));
    let count = 0;
    for await (const group of "sources" in input ? joined(input.sources, slice) : refined(input, slice)) {
      for (const { series, windows: known } of group) {
        const made = downsampleSeries(series.info, series, known, resolutionMs);
        samples.add(series.labels, series.info, made?.series ?? series);
        windows.add(made?.windows);
        count++;
        if (slice.due) await slice.pause();
      }
      await samples.drain();
      await windows.drain();
    }
    if (count === 0) {
      await samples.abort();
      await windows.abort();
      return [];
    }
    const windowBytes = await windows.finish();
    const summary = await samples.finish();
    const downsampled = { resolutionMs, windows: windowBytes !== undefined };
    return [{ ...summary, bytes: summary.bytes + (windowBytes ?? 0), path, partition, downsampled }];
  } catch (error) {
    await samples.abort();
    await windows?.abort();
    throw error;
  }
}

async function* joined(sources: readonly SeriesSource[], slice: TimeSlice): AsyncGenerator<readonly Item[]> {
  const selections = sources.map((source) => ({ source, ids: idsOf(source) }));
  const all = await JoinedSeries.from(selections, slice, { sorted: true });
  const rows = await all.rowsInLabelOrder(slice);
  const open = (source: SeriesSource, ids: readonly number[]) => source.open(ids, EVERYTHING);
  for await (const group of readSeries(all, rows, EVERYTHING, slice, true, open)) {
    yield group.map((series) => ({ series, windows: undefined }));
  }
}

/** The series of one block are in the order of their labels. */
async function* refined(
  { source, windows }: { readonly source: SeriesSource; readonly windows: WindowsFile },
  slice: TimeSlice,
): AsyncGenerator<readonly Item[]> {
  const assembler = new SeriesAssembler(true);
  for (let from = 0; from < source.seriesCount; from += GROUP_SERIES) {
    const ids = idsOf(source).slice(from, from + GROUP_SERIES);
    const reader = await source.open(ids, EVERYTHING);
    const opened = await windows.open(
      ids.filter((id) => windows.has(id)),
      ["counts", "sums", "mins", "maxs"],
      EVERYTHING,
    );
    const items: Item[] = [];
    for (const id of ids) {
      assembler.begin();
      reader.read(id, EVERYTHING, assembler);
      const series = assembler.finish();
      if (!series) continue;
      const known = windows.has(id) ? opened.all(id, visibleOf(source, id, EVERYTHING)) : undefined;
      items.push({ series: { ...series, labels: source.labelsOf(id), info: source.infoOf(id) }, windows: known });
      if (slice.due) await slice.pause();
    }
    if (items.length > 0) yield items;
    assembler.beginGroup();
  }
}

function idsOf({ seriesCount }: SeriesSource): number[] {
  return Array.from({ length: seriesCount }, (_, id) => id);
}

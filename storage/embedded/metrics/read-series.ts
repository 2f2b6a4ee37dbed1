import type { SeriesSlice, TimeRange } from "@sightline/model/ports.ts";
import type { JoinedSeries } from "./joined-series.ts";
import { type AssembledSeries, SeriesAssembler } from "./series-assembler.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Series whose pages are held at a time. */
const GROUP_SERIES = 256;
const MAX_GROUP_SAMPLES = 1_000_000;

/** One series of a walk. */
export type ReadSeries = AssembledSeries & { readonly row: number };

/**
 * Reads `rows` of joined series one after the other, in groups. `open` opens a source, or returns undefined to do
 * without it.
 */
export async function* readSeries(
  joined: JoinedSeries,
  rows: readonly number[],
  range: TimeRange,
  slice: TimeSlice,
  open: (source: SeriesSource, ids: readonly number[]) => Promise<SeriesReader | undefined>,
): AsyncGenerator<readonly ReadSeries[]> {
  const assembler = new SeriesAssembler();
  let group: ReadSeries[] = [];
  let samples = 0;
  for (let from = 0; from < rows.length; from += GROUP_SERIES) {
    const wanted = rows.slice(from, from + GROUP_SERIES);
    const readers: (SeriesReader | undefined)[] = [];
    for (let s = 0; s < joined.sources.length; s++) {
      const ids = wanted.map((row) => joined.idIn(s, row)).filter((id) => id >= 0);
      ids.sort((a, b) => a - b);
      readers.push(ids.length > 0 ? await open(joined.sources[s] as SeriesSource, ids) : undefined);
    }
    for (const row of wanted) {
      if (slice.due) await slice.pause();
      const series = readRow(joined, row, readers, range, assembler);
      if (!series) continue;
      group.push({ ...series, row });
      samples += series.timesMs.length + (series.histograms?.timesMs.length ?? 0);
      if (samples >= MAX_GROUP_SAMPLES) {
        yield group;
        group = [];
        samples = 0;
      }
    }
    if (group.length > 0) yield group;
    group = [];
    samples = 0;
  }
}

function readRow(
  joined: JoinedSeries,
  row: number,
  readers: readonly (SeriesReader | undefined)[],
  range: TimeRange,
  assembler: SeriesAssembler,
): AssembledSeries | undefined {
  assembler.begin();
  for (let s = 0; s < readers.length; s++) {
    const reader = readers[s];
    const id = joined.idIn(s, row);
    if (reader && id >= 0) reader.read(id, range, assembler);
  }
  return assembler.finish();
}

export function sliceOf(joined: JoinedSeries, series: ReadSeries): SeriesSlice {
  const { row, timesMs, values, startsMs, histograms } = series;
  return { labels: joined.labelsOf(row), info: joined.infoOf(row), timesMs, values, startsMs, histograms };
}

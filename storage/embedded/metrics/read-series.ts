import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Awaitable } from "./awaitable.ts";
import type { JoinedSeries } from "./joined-series.ts";
import { mapSome } from "./map-some.ts";
import { SeriesAssembler } from "./series-assembler.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Series whose pages are held at a time. */
const GROUP_SERIES = 256;
const MAX_GROUP_SAMPLES = 1_000_000;
/** So few that they are still in the processor's cache when they are looked at. */
const MAX_TRANSIENT_SAMPLES = 16_384;

/** Opens a source, or returns undefined to do without it. Numbers ascend. */
type OpenSource = (source: SeriesSource, ids: readonly number[]) => Awaitable<SeriesReader | undefined>;

/**
 * Reads `rows` of joined series one after the other, in groups. With `transient`, the values of a group are overwritten
 * when the next one is asked for.
 */
export async function* readSeries(
  joined: JoinedSeries,
  rows: readonly number[],
  range: TimeRange,
  slice: TimeSlice,
  transient: boolean,
  open: OpenSource,
): AsyncGenerator<readonly SeriesSlice[]> {
  const assembler = new SeriesAssembler(transient);
  const maxSamples = transient ? MAX_TRANSIENT_SAMPLES : MAX_GROUP_SAMPLES;
  for (let from = 0; from < rows.length; from += GROUP_SERIES) {
    const to = Math.min(rows.length, from + GROUP_SERIES);
    const readers = await openSources(joined, rows, from, to, open);
    let group: SeriesSlice[] = [];
    let samples = 0;
    for (let i = from; i < to; i++) {
      if ((i & 7) === 0 && slice.due) await slice.pause();
      const series = readRow(joined, rows[i] as number, readers, range, assembler);
      if (!series) continue;
      group.push(series);
      samples += series.timesMs.length + (series.histograms?.timesMs.length ?? 0);
      if (samples < maxSamples) continue;
      yield group;
      assembler.beginGroup();
      group = [];
      samples = 0;
    }
    if (group.length > 0) yield group;
    assembler.beginGroup();
  }
  assembler.end();
}

function openSources(
  joined: JoinedSeries,
  rows: readonly number[],
  from: number,
  to: number,
  open: OpenSource,
): Awaitable<readonly (SeriesReader | undefined)[]> {
  const wanted: number[][] = [];
  for (let s = 0; s < joined.sources.length; s++) {
    const ids: number[] = [];
    let ascends = true;
    for (let i = from; i < to; i++) {
      const id = joined.idIn(s, rows[i] as number);
      if (id < 0) continue;
      if (ids.length > 0 && id < (ids[ids.length - 1] as number)) ascends = false;
      ids.push(id);
    }
    if (!ascends) ids.sort((a, b) => a - b);
    wanted.push(ids);
  }
  // Whatever is not in a cache is read meanwhile: many small blocks take no longer than one.
  return mapSome(joined.sources, (source, s) => {
    const ids = wanted[s] as readonly number[];
    return ids.length > 0 ? open(source, ids) : undefined;
  });
}

function readRow(
  joined: JoinedSeries,
  row: number,
  readers: readonly (SeriesReader | undefined)[],
  range: TimeRange,
  assembler: SeriesAssembler,
): SeriesSlice | undefined {
  assembler.begin();
  for (let s = 0; s < readers.length; s++) {
    const reader = readers[s];
    const id = joined.idIn(s, row);
    if (reader && id >= 0) reader.read(id, range, assembler);
  }
  const series = assembler.finish();
  if (!series) return undefined;
  const { timesMs, values, startsMs, counts, histograms } = series;
  const [labels, info] = [joined.labelsOf(row), joined.infoOf(row)];
  return { labels, info, timesMs, values, startsMs, ...(counts && { counts }), histograms };
}

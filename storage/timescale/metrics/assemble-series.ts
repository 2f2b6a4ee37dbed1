import type { TimeRange } from "@sightline/model/time-range.ts";
import type { SampleCollector, Segment } from "./sample-collector.ts";

export type AssembledSamples = {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly startsMs: Float64Array | undefined;
};

/** Arrays for the series of a collector that lie in several pieces there: one for all is much cheaper than one each. */
export class SampleArena {
  readonly #samples: number;
  readonly #starts: number;
  #columns: { timesMs: Float64Array; values: Float64Array; startsMs: Float64Array } | undefined;
  length = 0;

  constructor({ length, hasStarts }: SampleCollector) {
    this.#samples = length;
    this.#starts = hasStarts ? length : 0;
  }

  /** Made when the first series needs them. */
  get columns() {
    this.#columns ??= {
      timesMs: new Float64Array(this.#samples),
      values: new Float64Array(this.#samples),
      startsMs: new Float64Array(this.#starts),
    };
    return this.#columns;
  }
}

const NONE: AssembledSamples = {
  timesMs: new Float64Array(0),
  values: new Float64Array(0),
  startsMs: undefined,
};

/** All samples of one series within the range, ascending in time, of several at one time the first that was written. */
export function assembleSeries(
  collector: SampleCollector,
  series: number,
  { startMs, endMs }: TimeRange,
  arena: SampleArena,
): AssembledSamples {
  const segments = collector
    .segmentsOf(series)
    .map((segment) => clipped(collector.timesMs, segment, startMs, endMs))
    .filter(({ from, to }) => from < to)
    // Stable; packed ones were written first.
    .sort((a, b) => Number(b.isPacked) - Number(a.isPacked));
  if (segments.length === 0) return NONE;
  return isAscending(collector.timesMs, segments) ? joined(collector, segments, arena) : merged(collector, segments);
}

/** Segments are ascending in themselves. */
function clipped(timesMs: Float64Array, { from, to, isPacked }: Segment, startMs: number, endMs: number): Segment {
  let first = from;
  let end = to;
  while (first < end && (timesMs[first] as number) < startMs) first++;
  while (end > first && (timesMs[end - 1] as number) > endMs) end--;
  return { from: first, to: end, isPacked };
}

function isAscending(timesMs: Float64Array, segments: readonly Segment[]): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const { from, to } of segments) {
    if ((timesMs[from] as number) <= before) return false;
    before = timesMs[to - 1] as number;
  }
  return true;
}

function joined(collector: SampleCollector, segments: readonly Segment[], arena: SampleArena): AssembledSamples {
  const { from } = segments[0] as Segment;
  const { to } = segments.at(-1) as Segment;
  if (segments.every((segment, i) => i === 0 || segment.from === segments[i - 1]?.to)) {
    return {
      timesMs: collector.timesMs.subarray(from, to),
      values: collector.values.subarray(from, to),
      startsMs: known(collector.startsOf(from, to)),
    };
  }
  const start = arena.length;
  const columns = arena.columns;
  for (const { from, to } of segments) {
    columns.timesMs.set(collector.timesMs.subarray(from, to), arena.length);
    columns.values.set(collector.values.subarray(from, to), arena.length);
    const startsMs = collector.startsOf(from, to);
    if (startsMs) columns.startsMs.set(startsMs, arena.length);
    arena.length += to - from;
  }
  return {
    timesMs: columns.timesMs.subarray(start, arena.length),
    values: columns.values.subarray(start, arena.length),
    startsMs: collector.hasStarts ? known(columns.startsMs.subarray(start, arena.length)) : undefined,
  };
}

function merged(collector: SampleCollector, segments: readonly Segment[]): AssembledSamples {
  const { timesMs, values } = collector;
  const startsMs = collector.startsOf(0, collector.length);
  const rows: number[] = [];
  for (const { from, to } of segments) for (let row = from; row < to; row++) rows.push(row);
  // Stable: of equal times the first that was written stays first.
  rows.sort((a, b) => (timesMs[a] as number) - (timesMs[b] as number));
  const kept = rows.filter((row, i) => i === 0 || timesMs[row] !== timesMs[rows[i - 1] as number]);
  const out = new Float64Array(kept.length);
  const words = new Uint32Array(out.buffer);
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  for (const [i, row] of kept.entries()) {
    words[2 * i] = from[2 * row] as number;
    words[2 * i + 1] = from[2 * row + 1] as number;
  }
  return {
    timesMs: Float64Array.from(kept, (row) => timesMs[row] as number),
    values: out,
    startsMs: startsMs && known(Float64Array.from(kept, (row) => startsMs[row] as number)),
  };
}

function known(startsMs: Float64Array | undefined): Float64Array | undefined {
  return startsMs?.some((start) => start !== 0) ? startsMs : undefined;
}

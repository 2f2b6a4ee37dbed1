import type { SelectHints } from "../metric-store.ts";
import type { TimeRange } from "../time-range.ts";
import type { SeriesSamples } from "./downsample-series.ts";
import { windowOf } from "./windows.ts";

/** What functions make of the difference of two samples. */
const FUNCTIONS = new Set(["rate", "increase", "delta"]);
/** Ranges of so many windows have enough samples as they are. */
const MAX_WINDOWS = 4;
const POINTS_PER_WINDOW = 10;

export function needsPoints(hints: SelectHints | undefined, resolutionMs: number): boolean {
  return hints?.aggregated === true && FUNCTIONS.has(hints.func) && hints.rangeMs < MAX_WINDOWS * resolutionMs;
}

/** What lies between two samples of a window: a counter only goes up. */
export type Line = { readonly resolutionMs: number; readonly isCounter: boolean };

/** The samples of a downsampled series in the range, and points on the line from the first sample of a window to its last. */
export function withPoints(
  { timesMs, values, startsMs }: SeriesSamples,
  { startMs, endMs }: TimeRange,
  line: Line,
): SeriesSamples {
  const times: number[] = [];
  /** Indexes of the samples before and after, and how far between them. */
  const pairs: [before: number, after: number, share: number][] = [];
  const add = (timeMs: number, before: number, after: number, share: number) => {
    if (timeMs < startMs || timeMs > endMs) return;
    times.push(timeMs);
    pairs.push([before, after, share]);
  };
  for (let i = 0; i < timesMs.length; i++) {
    if (i > 0) addPoints(timesMs, values, i, line, add);
    add(timesMs[i] as number, i, i, 0);
  }
  const filled = new Float64Array(times.length);
  pairs.forEach(([before, after, share], i) => {
    // A sample is copied as it is: it may be a staleness marker.
    if (before === after) filled[i] = values[before] as number;
    else filled[i] = (values[before] as number) * (1 - share) + (values[after] as number) * share;
  });
  const starts = startsMs && Float64Array.from(pairs, ([, after]) => startsMs[after] as number);
  return { timesMs: Float64Array.from(times), values: filled, startsMs: starts };
}

function addPoints(
  timesMs: Float64Array,
  values: Float64Array,
  after: number,
  { resolutionMs, isCounter }: Line,
  add: (timeMs: number, before: number, after: number, share: number) => void,
): void {
  const before = after - 1;
  const [fromMs, toMs] = [timesMs[before] as number, timesMs[after] as number];
  const change = (values[after] as number) - (values[before] as number);
  const isLine = isCounter ? change >= 0 : !Number.isNaN(change);
  if (!isLine || windowOf(fromMs, resolutionMs) !== windowOf(toMs, resolutionMs)) return;
  const points = Math.floor(((toMs - fromMs) * POINTS_PER_WINDOW) / resolutionMs);
  for (let k = 1; k < points; k++) {
    const timeMs = Math.round(fromMs + ((toMs - fromMs) * k) / points);
    add(timeMs, before, after, (timeMs - fromMs) / (toMs - fromMs));
  }
}

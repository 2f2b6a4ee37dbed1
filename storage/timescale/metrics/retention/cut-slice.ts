import type { SeriesSlice } from "@sightline/model/metric-store.ts";

/** Takes what is older than its series is kept from slices. Series that share times share them afterwards, too. */
export class SliceCutter {
  readonly #cut = new WeakMap<Float64Array, { readonly from: number; readonly timesMs: Float64Array }>();

  /** Undefined when nothing is left. */
  cut(slice: SeriesSlice, fromMs: number): SeriesSlice | undefined {
    const { timesMs, values, startsMs, counts, histograms, ...series } = slice;
    const from = firstFrom(timesMs, fromMs);
    const left = histograms && firstFrom(histograms.timesMs, fromMs);
    if (from === 0 && !left) return slice;
    if (from === timesMs.length && (!histograms || left === histograms.timesMs.length)) return undefined;
    return {
      ...series,
      timesMs: this.#timesFrom(timesMs, from),
      values: values.subarray(from),
      ...(startsMs && { startsMs: startsMs.subarray(from) }),
      ...(counts && { counts: counts.subarray(from) }),
      ...(histograms && {
        histograms: {
          timesMs: histograms.timesMs.subarray(left),
          values: histograms.values.slice(left),
          ...(histograms.startsMs && { startsMs: histograms.startsMs.subarray(left) }),
        },
      }),
    };
  }

  #timesFrom(timesMs: Float64Array, from: number): Float64Array {
    if (from === 0) return timesMs;
    const known = this.#cut.get(timesMs);
    if (known?.from === from) return known.timesMs;
    const cut = { from, timesMs: timesMs.subarray(from) };
    this.#cut.set(timesMs, cut);
    return cut.timesMs;
  }
}

/** The place of the first that is not before. */
function firstFrom(timesMs: Float64Array, fromMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timesMs[middle] as number) < fromMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

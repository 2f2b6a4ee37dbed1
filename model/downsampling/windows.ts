/**
 * What a downsampled series says of each window of time that it had samples in: columns of equal length, ascending in
 * time. A window is open at its start and closed at its end, as PromQL's ranges are; its time is that of its last sample.
 */
export type Windows = { readonly timesMs: Float64Array } & Readonly<Record<WindowColumn, Float64Array>>;

/** In the order in which they are in files. */
export const WINDOW_COLUMNS = ["counts", "sums", "mins", "maxs"] as const;
export type WindowColumn = (typeof WINDOW_COLUMNS)[number];

/** The number of the window of a time, by which windows of one resolution are told apart. */
export function windowOf(timeMs: number, resolutionMs: number): number {
  return Math.ceil(timeMs / resolutionMs);
}

/** Collects windows one sample, or one finer window, after the other. */
export class WindowsBuilder {
  readonly #resolutionMs: number;
  readonly #timesMs: number[] = [];
  readonly #columns: Readonly<Record<WindowColumn, number[]>> = { counts: [], sums: [], mins: [], maxs: [] };
  #window = Number.NaN;
  #compensation = 0;

  constructor(resolutionMs: number) {
    this.#resolutionMs = resolutionMs;
  }

  /** Times ascend from call to call. Sums are compensated, and not-a-numbers left out of least and greatest, as PromQL does. */
  add(timeMs: number, count: number, sum: number, min: number, max: number): void {
    const { counts, sums, mins, maxs } = this.#columns;
    const window = windowOf(timeMs, this.#resolutionMs);
    const last = counts.length - 1;
    if (window !== this.#window) {
      this.#settle();
      this.#window = window;
      this.#timesMs.push(timeMs);
      counts.push(count);
      sums.push(sum);
      mins.push(min);
      maxs.push(max);
      return;
    }
    this.#timesMs[last] = timeMs;
    counts[last] = (counts[last] as number) + count;
    const before = sums[last] as number;
    const total = before + sum;
    this.#compensation += Math.abs(before) >= Math.abs(sum) ? before - total + sum : sum - total + before;
    sums[last] = total;
    if (min < (mins[last] as number) || Number.isNaN(mins[last])) mins[last] = min;
    if (max > (maxs[last] as number) || Number.isNaN(maxs[last])) maxs[last] = max;
  }

  build(): Windows {
    this.#settle();
    const { counts, sums, mins, maxs } = this.#columns;
    return {
      timesMs: Float64Array.from(this.#timesMs),
      counts: Float64Array.from(counts),
      sums: Float64Array.from(sums),
      mins: Float64Array.from(mins),
      maxs: Float64Array.from(maxs),
    };
  }

  #settle(): void {
    const { sums } = this.#columns;
    const last = sums.length - 1;
    const total = sums[last];
    if (total !== undefined && Number.isFinite(total)) sums[last] = total + this.#compensation;
    this.#compensation = 0;
  }
}

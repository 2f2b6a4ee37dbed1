import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import type { QueryContext } from "./query-context.ts";

/** With fewer steps, computing a series costs no more than putting it aside. */
const MIN_STEPS = 100;
/** Series are computed as they are read until they have so many results: that takes some milliseconds. */
const MAX_RESULTS_AT_ONCE = 50_000;
/** Samples that are put aside at a time: 32 MiB, and the times that are not shared. */
const MAX_SAMPLES = 4_000_000;

/**
 * Puts series aside as they are read, but for the first few, before anything is computed of them. Each takes room for all
 * steps of the query then, so one for too many of them fails as soon as enough are there, and not when most of the work is
 * done. What counts against `query.max_samples`, and when that is too much in the end, stays the same. Values are copied,
 * so that they may be overwritten after {@link ReadAhead.add}.
 */
export class ReadAhead {
  readonly #context: QueryContext;
  readonly #steps: number;
  readonly #compute: (slice: SeriesSlice) => void | Promise<void>;
  #results = 0;
  #slices: SeriesSlice[] = [];
  #samples = 0;
  #certain = 0;

  /** `compute` is called for every series, in their order. */
  constructor(context: QueryContext, steps: number, compute: (slice: SeriesSlice) => void | Promise<void>) {
    this.#context = context;
    this.#steps = steps;
    this.#compute = compute;
  }

  static pays(steps: number): boolean {
    return steps >= MIN_STEPS;
  }

  /** `isCertain`: it will have a result at some step. Throws `LimitError`. */
  add(slice: SeriesSlice, isCertain: boolean): void | Promise<void> {
    this.#results += this.#steps;
    if (this.#results <= MAX_RESULTS_AT_ONCE) return this.#compute(slice);
    if (isCertain) this.#context.foresee(++this.#certain * this.#steps);
    this.#slices.push({ ...slice, values: slice.values.slice() });
    this.#samples += slice.timesMs.length + (slice.histograms?.timesMs.length ?? 0);
    if (this.#samples >= MAX_SAMPLES) return this.finish();
  }

  /** Computes what is put aside. */
  async finish(): Promise<void> {
    const slices = this.#slices;
    this.#slices = [];
    this.#samples = 0;
    this.#certain = 0;
    for (const slice of slices) {
      const computing = this.#compute(slice);
      if (computing) await computing;
      if (this.#context.tired(slice.timesMs.length + this.#steps)) await this.#context.breathe();
    }
  }
}

/**
 * Whether the last step sees at least `count` plain samples in the `windowMs` up to `lastMs`, its end, none of them a
 * NaN, which might be a staleness marker.
 */
export function seesFloatsAtLastStep(slice: SeriesSlice, lastMs: number, windowMs: number, count: number): boolean {
  const { timesMs, values, histograms } = slice;
  const first = timesMs.length - count;
  if (histograms || first < 0 || (timesMs[first] as number) <= lastMs - windowMs) return false;
  if ((timesMs[timesMs.length - 1] as number) > lastMs) return false;
  for (let i = first; i < values.length; i++) if (Number.isNaN(values[i] as number)) return false;
  return true;
}

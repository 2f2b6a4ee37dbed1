import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";

/** What a series has at a step. */
export const ABSENT = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/**
 * One series of an instant vector at all steps of a grid at once. `kinds[step]` says what is there; `values[step]`
 * means something where it is {@link FLOAT}, `histograms[step]` where it is {@link HISTOGRAM}. The arrays belong to
 * whoever made the series until it is returned; after that nobody may change them, as views of a series share them.
 */
export class StepSeries {
  labels: Labels;
  /** The name (and type and unit) is to be dropped from the labels when the query is done. */
  dropName: boolean;
  readonly values: Float64Array;
  readonly kinds: Uint8Array;
  histograms: (NativeHistogram | undefined)[] | undefined;
  /** Where they are not equal: there are floats from the one (included) to the other (excluded), and nothing elsewhere. */
  solidFrom = 0;
  solidTo = 0;

  constructor(
    labels: Labels,
    dropName: boolean,
    values: Float64Array,
    kinds: Uint8Array,
    histograms?: (NativeHistogram | undefined)[],
  ) {
    this.labels = labels;
    this.dropName = dropName;
    this.values = values;
    this.kinds = kinds;
    this.histograms = histograms;
  }

  static empty(labels: Labels, steps: number, dropName = false): StepSeries {
    return new StepSeries(labels, dropName, new Float64Array(steps), new Uint8Array(steps));
  }

  setFloat(step: number, value: number): void {
    this.values[step] = value;
    this.kinds[step] = FLOAT;
  }

  setHistogram(step: number, histogram: NativeHistogram): void {
    this.histograms ??= new Array(this.kinds.length);
    this.histograms[step] = histogram;
    this.kinds[step] = HISTOGRAM;
  }

  set(step: number, value: number | NativeHistogram): void {
    if (typeof value === "number") this.setFloat(step, value);
    else this.setHistogram(step, value);
  }

  clear(step: number): void {
    this.kinds[step] = ABSENT;
  }

  histogramAt(step: number): NativeHistogram {
    return this.histograms?.[step] as NativeHistogram;
  }

  /** The same samples under other labels. */
  relabelled(labels: Labels, dropName: boolean): StepSeries {
    return new StepSeries(labels, dropName, this.values, this.kinds, this.histograms);
  }

  isEmpty(): boolean {
    for (const kind of this.kinds) if (kind !== ABSENT) return false;
    return true;
  }
}

export type Evaluated =
  | { readonly type: "vector"; readonly series: StepSeries[] }
  | { readonly type: "scalar"; readonly values: Float64Array }
  | { readonly type: "string"; readonly value: string };

export function vectorOf(series: StepSeries[]): Evaluated {
  return { type: "vector", series };
}

/** Takes the series of a vector, one after the other and in their order. */
export interface SeriesSink {
  /** False: the arrays of a series are used again for the next one, so `take` must not keep them. */
  readonly keeps: boolean;
  /** True: every series it takes is held, with room for all steps. */
  readonly holds: boolean;
  take(series: StepSeries): void;
}

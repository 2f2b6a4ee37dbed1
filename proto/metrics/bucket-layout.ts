import { type BucketSpan, EMPTY_BUCKETS } from "@sightline/model/histogram.ts";

/** Empty buckets are spelled out up to this many in a row; more begin a new span (client_golang's `makeBuckets`). */
const MAX_GAP = 2;

export type BucketSide = { readonly spans: readonly BucketSpan[]; readonly buckets: Float64Array };
export const NO_BUCKETS: BucketSide = Object.freeze({ spans: [], buckets: EMPTY_BUCKETS });

/** Builds spans and counts of one side of a histogram from bucket counts given in ascending order of their index. */
export class BucketLayout {
  readonly #spans: { offset: number; length: number }[] = [];
  readonly #counts: number[] = [];
  /** Index of the last bucket. */
  #index = 0;

  /** Adds a count to the bucket `index`; not below the one of the call before. Empty buckets may be left out. */
  add(index: number, count: number): void {
    if (count === 0) return;
    const last = this.#spans.at(-1);
    if (!last) this.#spans.push({ offset: index, length: 1 });
    else {
      const gap = index - this.#index - 1;
      if (gap < 0) {
        this.#counts[this.#counts.length - 1]! += count;
        return;
      }
      if (gap > MAX_GAP) this.#spans.push({ offset: gap, length: 1 });
      else {
        last.length += gap + 1;
        for (let i = 0; i < gap; i++) this.#counts.push(0);
      }
    }
    this.#counts.push(count);
    this.#index = index;
  }

  finish(): BucketSide {
    return this.#counts.length === 0 ? NO_BUCKETS : { spans: this.#spans, buckets: Float64Array.from(this.#counts) };
  }
}

/**
 * One side of an exponential histogram at a resolution that is `by` powers of two lower: bucket i holds what 2^by
 * buckets held (FloatHistogram.ReduceResolution).
 */
export function reduceResolution(side: BucketSide, by: number): BucketSide {
  const layout = new BucketLayout();
  const scale = 2 ** by;
  let index = 0;
  let bucket = 0;
  for (const { offset, length } of side.spans) {
    index += offset;
    for (let i = 0; i < length; i++) {
      layout.add(Math.floor((index - 1) / scale) + 1, side.buckets[bucket++] as number);
      index++;
    }
  }
  return layout.finish();
}

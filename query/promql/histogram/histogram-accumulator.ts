import {
  type BucketSpan,
  type CounterResetHint,
  CUSTOM_BUCKETS_SCHEMA,
  EMPTY_HISTOGRAM,
  type NativeHistogram,
} from "@sightline/model/histogram.ts";
import { NeumaierSum } from "../eval/neumaier.ts";
import { reducedIndex, upperBound } from "./bucket-bounds.ts";
import { eachBucket, encodeBuckets } from "./spans.ts";

/** Histograms with exponential and with custom buckets can't be combined. */
export class IncompatibleSchemasError extends Error {}

/** What had to be put up with to combine two histograms. */
export type Combined = {
  /** One says its counter was reset, the other that it was not. */
  readonly resetCollision: boolean;
  /** Their custom bounds differ; only those they share are left. */
  readonly boundsReconciled: boolean;
};

const GAUGE: CounterResetHint = 3;
const UNKNOWN: CounterResetHint = 0;

/**
 * A sum of histograms with every count compensated (KahanAdd in Prometheus' model/histogram/float_histogram.go). Brings
 * them to the lower resolution and the wider zero bucket first.
 */
export class HistogramAccumulator {
  schema: number;
  zeroThreshold: number;
  customValues: Float64Array;
  hint: CounterResetHint;
  readonly #zero = new NeumaierSum();
  readonly #count = new NeumaierSum();
  readonly #sum = new NeumaierSum();
  #positive: Map<number, NeumaierSum>;
  #negative: Map<number, NeumaierSum>;

  constructor(histogram: NativeHistogram) {
    this.schema = histogram.schema;
    this.zeroThreshold = histogram.zeroThreshold;
    this.customValues = histogram.customValues;
    this.hint = histogram.counterResetHint;
    this.#zero.sum = histogram.zeroCount;
    this.#count.sum = histogram.count;
    this.#sum.sum = histogram.sum;
    this.#positive = bucketMap(histogram.positiveSpans, histogram.positiveBuckets);
    this.#negative = bucketMap(histogram.negativeSpans, histogram.negativeBuckets);
  }

  /** Adds `other`, or subtracts it. Throws {@link IncompatibleSchemasError}. */
  add(other: NativeHistogram, sign: 1 | -1 = 1): Combined {
    const custom = this.schema === CUSTOM_BUCKETS_SCHEMA;
    if (custom !== (other.schema === CUSTOM_BUCKETS_SCHEMA)) throw new IncompatibleSchemasError();
    const resetCollision = this.#adjustHint(other.counterResetHint);
    const addend = new HistogramAccumulator(other);
    const boundsReconciled = custom ? this.#reconcileBounds(addend) : this.#reconcileResolution(addend);
    this.#zero.add(sign * addend.#zero.sum);
    this.#count.add(sign * other.count);
    this.#sum.add(sign * other.sum);
    addAll(this.#positive, addend.#positive, sign);
    addAll(this.#negative, addend.#negative, sign);
    return { resetCollision, boundsReconciled };
  }

  /** Multiplies everything, compensations included. */
  scale(factor: number): void {
    for (const sum of this.#all()) {
      sum.sum *= factor;
      sum.compensation *= factor;
    }
  }

  divide(divisor: number): void {
    for (const sum of this.#all()) {
      sum.sum /= divisor;
      sum.compensation /= divisor;
    }
  }

  hasOverflow(): boolean {
    for (const { sum } of this.#all()) if (sum === Infinity || sum === -Infinity) return true;
    return false;
  }

  /** A copy that further additions do not change. */
  snapshot(): HistogramAccumulator {
    const copy = new HistogramAccumulator(EMPTY_HISTOGRAM);
    copy.schema = this.schema;
    copy.zeroThreshold = this.zeroThreshold;
    copy.customValues = this.customValues;
    copy.hint = this.hint;
    assign(copy.#zero, this.#zero);
    assign(copy.#count, this.#count);
    assign(copy.#sum, this.#sum);
    copy.#positive = copyMap(this.#positive);
    copy.#negative = copyMap(this.#negative);
    return copy;
  }

  /** The compensated sums, without empty buckets. */
  toHistogram(): NativeHistogram {
    const positive = encodeBuckets([...this.#positive].map(([index, sum]) => [index, sum.total()]));
    const negative = encodeBuckets([...this.#negative].map(([index, sum]) => [index, sum.total()]));
    return {
      schema: this.schema,
      zeroThreshold: this.zeroThreshold,
      zeroCount: this.#zero.total(),
      count: this.#count.total(),
      sum: this.#sum.total(),
      positiveSpans: positive.spans,
      positiveBuckets: positive.buckets,
      negativeSpans: negative.spans,
      negativeBuckets: negative.buckets,
      customValues: this.customValues,
      counterResetHint: this.hint,
    };
  }

  /** Merges buckets down to a schema of lower resolution. */
  reduceTo(schema: number): void {
    if (schema >= this.schema) return;
    const from = this.schema;
    this.#positive = remap(this.#positive, (index) => reducedIndex(index, from, schema));
    this.#negative = remap(this.#negative, (index) => reducedIndex(index, from, schema));
    this.schema = schema;
  }

  /**
   * Widens the zero bucket to at least `threshold`; further when that would cut a populated bucket in two, to the
   * upper bound of that.
   */
  widenZero(threshold: number): void {
    let wanted = threshold;
    for (let settled = false; !settled; ) {
      settled = true;
      for (const buckets of [this.#positive, this.#negative]) {
        for (const [index, { sum }] of buckets) {
          const lower = upperBound(index - 1, this.schema, this.customValues);
          const upper = upperBound(index, this.schema, this.customValues);
          if (sum === 0 || lower >= wanted || upper <= wanted) continue;
          wanted = upper;
          settled = false;
        }
      }
    }
    for (const buckets of [this.#positive, this.#negative]) {
      for (const index of [...buckets.keys()].sort((a, b) => a - b)) {
        if (upperBound(index - 1, this.schema, this.customValues) >= wanted) continue;
        const bucket = buckets.get(index) as NeumaierSum;
        this.#zero.add(bucket.sum);
        this.#zero.add(bucket.compensation);
        buckets.delete(index);
      }
    }
    this.zeroThreshold = wanted;
  }

  get zeroCount(): number {
    return this.#zero.sum;
  }

  /** Counts by bucket index. */
  counts(side: "positive" | "negative"): ReadonlyMap<number, NeumaierSum> {
    return side === "positive" ? this.#positive : this.#negative;
  }

  #reconcileResolution(addend: HistogramAccumulator): boolean {
    while (addend.zeroThreshold !== this.zeroThreshold) {
      if (this.zeroThreshold > addend.zeroThreshold) addend.widenZero(this.zeroThreshold);
      if (addend.zeroThreshold > this.zeroThreshold) this.widenZero(addend.zeroThreshold);
    }
    this.reduceTo(addend.schema);
    addend.reduceTo(this.schema);
    return false;
  }

  #reconcileBounds(addend: HistogramAccumulator): boolean {
    const mine = this.customValues;
    const theirs = addend.customValues;
    if (mine.length === theirs.length && mine.every((bound, i) => bound === theirs[i])) return false;
    const shared = mine.filter((bound) => theirs.includes(bound));
    this.#mapToBounds(shared);
    addend.#mapToBounds(shared);
    return true;
  }

  #mapToBounds(bounds: Float64Array): void {
    const own = this.customValues;
    this.#positive = remap(this.#positive, (index) => {
      const bound = upperBound(index, CUSTOM_BUCKETS_SCHEMA, own);
      const target = bounds.findIndex((candidate) => candidate >= bound);
      return target === -1 ? bounds.length : target;
    });
    this.customValues = bounds;
  }

  #adjustHint(other: CounterResetHint): boolean {
    if (other === this.hint || this.hint === GAUGE) return false;
    if (other === GAUGE) {
      this.hint = GAUGE;
      return false;
    }
    const collision = this.hint !== UNKNOWN && other !== UNKNOWN;
    this.hint = UNKNOWN;
    return collision;
  }

  *#all(): Iterable<NeumaierSum> {
    yield this.#zero;
    yield this.#count;
    yield this.#sum;
    yield* this.#positive.values();
    yield* this.#negative.values();
  }
}

function assign(to: NeumaierSum, from: NeumaierSum): void {
  to.sum = from.sum;
  to.compensation = from.compensation;
}

function copyMap(map: ReadonlyMap<number, NeumaierSum>): Map<number, NeumaierSum> {
  const copy = new Map<number, NeumaierSum>();
  for (const [index, sum] of map) assign(sumAt(copy, index), sum);
  return copy;
}

function bucketMap(spans: readonly BucketSpan[], buckets: Float64Array): Map<number, NeumaierSum> {
  const map = new Map<number, NeumaierSum>();
  eachBucket(spans, buckets, (index, count) => {
    sumAt(map, index).sum = count;
  });
  return map;
}

function sumAt(map: Map<number, NeumaierSum>, index: number): NeumaierSum {
  let sum = map.get(index);
  if (!sum) {
    sum = new NeumaierSum();
    map.set(index, sum);
  }
  return sum;
}

function addAll(to: Map<number, NeumaierSum>, from: ReadonlyMap<number, NeumaierSum>, sign: 1 | -1): void {
  for (const [index, { sum }] of from) sumAt(to, index).add(sign * sum);
}

function remap(from: ReadonlyMap<number, NeumaierSum>, target: (index: number) => number): Map<number, NeumaierSum> {
  const to = new Map<number, NeumaierSum>();
  for (const index of [...from.keys()].sort((a, b) => a - b)) {
    const source = from.get(index) as NeumaierSum;
    const sum = sumAt(to, target(index));
    sum.add(source.sum);
    sum.compensation += source.compensation;
  }
  return to;
}

/** Each doubling of a number is so many steps: a bucket's bounds are 19 % apart. */
const STEPS = 4;
const MAX_BUCKETS = 30;
/** Smaller numbers are zero. */
const SMALLEST = 1e-9;

export type NumericBucket = { readonly from: number; readonly to: number; readonly count: number };
export type NumericSummary = {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly buckets: readonly NumericBucket[];
};

/** Numbers of any size in few buckets: their widths grow with the numbers. */
export class NumericHistogram {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  /** Ignores what is not finite. */
  add(value: number, count: number): void {
    if (!Number.isFinite(value)) return;
    this.#count += count;
    this.#sum += value * count;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    const index = indexOf(value);
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + count);
  }

  /** Undefined without a number. */
  summary(): NumericSummary | undefined {
    if (this.#count === 0) return undefined;
    const indexes = [...this.#counts.keys()].sort((a, b) => a - b);
    const first = indexes[0] as number;
    const joined = Math.ceil(((indexes.at(-1) as number) - first + 1) / MAX_BUCKETS);
    const buckets: NumericBucket[] = [];
    for (const [number, group] of Map.groupBy(indexes, (index) => Math.floor((index - first) / joined))) {
      const from = first + number * joined;
      const count = group.reduce((sum, index) => sum + (this.#counts.get(index) as number), 0);
      buckets.push({ from: boundOf(from), to: boundOf(from + joined), count });
    }
    return { min: this.#min, max: this.#max, mean: this.#sum / this.#count, buckets };
  }
}

const OFFSET = Math.floor(Math.log2(SMALLEST) * STEPS);

/** Ascends with the value; 0 for zero. */
function indexOf(value: number): number {
  const size = Math.abs(value);
  if (size < SMALLEST) return 0;
  const steps = Math.floor(Math.log2(size) * STEPS) - OFFSET + 1;
  return value > 0 ? steps : -steps;
}

/** Lower bound of a bucket. */
function boundOf(index: number): number {
  if (index === 0) return 0;
  const size = 2 ** ((Math.abs(index) - (index > 0 ? 1 : 0) + OFFSET) / STEPS);
  return Number((index > 0 ? size : -size).toPrecision(6));
}

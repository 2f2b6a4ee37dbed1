import type { RangeAggregationExpr } from "../ast.ts";
import type { StepGrid } from "./step-grid.ts";

/** More would cost more than reading records. */
const MAX_BUCKETS = 100_000;

/**
 * Spans of time that lie wholly inside or outside of every step's range, so that counts of them are all that steps need:
 * bucket k is of the times after `k * lengthNs - intervalNs`, up to `endNs(k)`, both counted from the first step.
 */
export class CountBuckets {
  readonly lengthNs: number;
  readonly #intervalNs: number;

  private constructor(lengthNs: number, intervalNs: number) {
    this.lengthNs = lengthNs;
    this.#intervalNs = intervalNs;
  }

  /** Undefined when they would be too many, or have no length. */
  static of({ logRange }: RangeAggregationExpr, { stepNs, count }: StepGrid): CountBuckets | undefined {
    const { intervalNs } = logRange;
    const lengthNs = count === 1 ? intervalNs : commonDivisor(Number(stepNs), intervalNs);
    const spanNs = intervalNs + Number(stepNs) * (count - 1);
    return intervalNs < 1 || spanNs / lengthNs > MAX_BUCKETS ? undefined : new CountBuckets(lengthNs, intervalNs);
  }

  endNs(bucket: number): number {
    return (bucket + 1) * this.lengthNs - this.#intervalNs;
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

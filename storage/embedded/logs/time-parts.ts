import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { Extent } from "./log-scope.ts";

/** Parts are so many of these at least. */
const WHOLE = 32;
/** More than seems to be needed: rows are not spread evenly. */
const SLACK = 1.25;

/** A range in parts, each behind the other in the order asked for: the next is as large as seems to be needed. */
export class TimeParts {
  readonly #range: TimeRangeNs;
  readonly #newestFirst: boolean;
  readonly #expected: number;
  /** Of the range, what rows can be in. */
  readonly #fromNs: bigint;
  readonly #toNs: bigint;
  #done = 0;

  /** `expected` rows are thought to be in all of the range. */
  constructor(range: TimeRangeNs, { minNs, maxNs }: Extent, newestFirst: boolean, expected: number) {
    this.#range = range;
    this.#newestFirst = newestFirst;
    this.#expected = expected;
    this.#fromNs = range.startNs > minNs ? range.startNs : minNs;
    this.#toNs = range.endNs <= maxNs ? range.endNs : maxNs + 1n;
  }

  /** `found` rows in the parts before, and `wanted` more. Undefined when there is no other part. */
  next(found: number, wanted: number): TimeRangeNs | undefined {
    if (this.#done === WHOLE) return undefined;
    const from = this.#done;
    const rowsPerPart = from === 0 ? this.#expected / WHOLE : found / from;
    const share = Math.ceil((wanted * SLACK) / rowsPerPart);
    // A second look costs more than its share.
    this.#done = share < (WHOLE - from) / 2 ? from + share : WHOLE;
    const { startNs, endNs } = this.#range;
    const [near, far] = [this.#boundary(from), this.#boundary(this.#done)];
    if (this.#newestFirst) return { startNs: this.#done === WHOLE ? startNs : far, endNs: from === 0 ? endNs : near };
    return { startNs: from === 0 ? startNs : near, endNs: this.#done === WHOLE ? endNs : far };
  }

  #boundary(share: number): bigint {
    const length = ((this.#toNs - this.#fromNs) * BigInt(share)) / BigInt(WHOLE);
    return this.#newestFirst ? this.#toNs - length : this.#fromNs + length;
  }
}

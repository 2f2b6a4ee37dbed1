import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { Extent } from "./log-scope.ts";

/** Of the whole that is looked at first; in 32nds, as all shares. */
const FIRST_SHARE = 2;
const WHOLE = 32;
/** More than what was found before promises: rows are not spread evenly. */
const SLACK = 1.25;

/** A range in parts, each behind the other in the order asked for: the next is as large as seems to be needed. */
export class TimeParts {
  readonly #range: TimeRangeNs;
  readonly #newestFirst: boolean;
  /** Of the range, what rows can be in. */
  readonly #fromNs: bigint;
  readonly #toNs: bigint;
  #done = 0;
  #isWhole = false;

  constructor(range: TimeRangeNs, { minNs, maxNs }: Extent, newestFirst: boolean) {
    this.#range = range;
    this.#newestFirst = newestFirst;
    this.#fromNs = range.startNs > minNs ? range.startNs : minNs;
    this.#toNs = range.endNs <= maxNs ? range.endNs : maxNs + 1n;
  }

  /** The next part is all of it. */
  takeAll(): void {
    this.#isWhole = true;
  }

  /** `found` rows in the parts before, and `wanted` more. Undefined when there is no other part. */
  next(found: number, wanted: number): TimeRangeNs | undefined {
    if (this.#done === WHOLE) return undefined;
    const from = this.#done;
    const share = from === 0 ? FIRST_SHARE : Math.ceil((from * wanted * SLACK) / Math.max(1, found));
    this.#done = this.#isWhole || share >= (WHOLE - from) / 2 ? WHOLE : from + share;
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

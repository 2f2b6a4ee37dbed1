/** More rows than these are not worth to be remembered. */
const MAX_LIMIT = 5_000;

/**
 * The times of the first `limit` rows that any source of a query has given so far: rows behind all of these are not needed, so
 * sources that are opened later need not look for them.
 */
export class FirstTimes {
  readonly #limit: number;
  readonly #newestFirst: boolean;
  #times = new BigInt64Array(0);

  constructor(limit: number, newestFirst: boolean) {
    this.#limit = limit;
    this.#newestFirst = newestFirst;
  }

  /** Of rows that meet all that was asked for, in the order of the query. */
  add(timesNs: BigInt64Array): void {
    if (this.#limit > MAX_LIMIT) return;
    const last = this.lastNs;
    const first = timesNs[0];
    if (first === undefined || (last !== undefined && !this.#isBefore(first, last))) return;
    const all = new BigInt64Array(this.#times.length + timesNs.length);
    all.set(this.#times);
    all.set(timesNs, this.#times.length);
    all.sort();
    this.#times = this.#newestFirst ? all.slice(-this.#limit) : all.slice(0, this.#limit);
  }

  /** No row behind this time is needed; undefined as long as there are not enough. */
  get lastNs(): bigint | undefined {
    if (this.#limit < 1 || this.#times.length < this.#limit) return undefined;
    return this.#newestFirst ? this.#times[0] : this.#times.at(-1);
  }

  #isBefore(a: bigint, b: bigint): boolean {
    return this.#newestFirst ? a > b : a < b;
  }
}

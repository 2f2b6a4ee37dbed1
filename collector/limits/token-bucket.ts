/**
 * Lets `ratePerSecond` through over time; rate and burst are 1 or more. Admission asks only whether one is left; the cost is taken off afterwards
 * and may leave a debt. So no request is too large ever to be admitted, refusing one costs nothing, and the rate over time
 * is exact.
 */
export class TokenBucket {
  #tokens: number | undefined;
  #atMs = 0;
  #sharers = 1;

  /** 0: come in. Otherwise how long to wait until there is one. The rate may differ from call to call. */
  waitMs(nowMs: number, ratePerSecond: number, burst: number): number {
    const left = this.#refill(nowMs, ratePerSecond, burst);
    return left >= 1 ? 0 : Math.ceil(((1 - left) / ratePerSecond) * 1_000 * this.#sharers);
  }

  take(amount: number, nowMs: number, ratePerSecond: number, burst: number): void {
    this.#tokens = this.#refill(nowMs, ratePerSecond, burst) - amount;
  }

  /** What is left for so many processes that take from it together: until the next time each refills its part. */
  share(left: number, sharers: number, nowMs: number): void {
    this.#tokens = left;
    this.#atMs = nowMs;
    this.#sharers = Math.max(1, sharers);
  }

  #refill(nowMs: number, ratePerSecond: number, burst: number): number {
    // A clock that was set back must not take tokens away.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    const refilled = (elapsedMs / 1_000) * (ratePerSecond / this.#sharers);
    this.#tokens = Math.min(burst, (this.#tokens ?? burst) + refilled);
    this.#atMs = nowMs;
    return this.#tokens;
  }
}

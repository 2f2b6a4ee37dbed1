/** Requests that were refused may come back so many a second: refusing them again takes a share of the CPU time. */
const PER_SECOND = 100;
/** Nobody is sent away for longer, however many there are. */
const MAX_MS = 30_000;

/**
 * Spreads out when clients that were refused come back. If all were told the same, all would come back in the same
 * moment, and their refusals would hold the event loop while whoever asks a query waits.
 */
export class ComeBackTimes {
  readonly #nowMs: () => number;
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** In how many ms the next one may come, `leastMs` or more. */
  next(leastMs: number): number {
    const now = this.#nowMs();
    const place = Math.max(this.#nextMs, now + leastMs);
    this.#nextMs = Math.min(place + 1_000 / PER_SECOND, now + Math.max(leastMs, MAX_MS));
    return place - now;
  }
}

/**
 * For how long those who ask wait for something that went away: while it restarts. In an outage that lasts longer than
 * `maxMs` only those of its first moments wait; whoever comes later is told at once.
 */
export class RestartWait {
  readonly #maxMs: number;
  /** When it was first missed since it last answered. */
  #sinceMs: number | undefined;

  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  /** It answered, whoever asked. */
  answered(): void {
    this.#sinceMs = undefined;
  }

  /** Until when whoever misses it now may go on asking; on the monotonic clock, in ms. */
  missed(nowMs: number): number {
    this.#sinceMs ??= nowMs;
    return this.#sinceMs + this.#maxMs;
  }
}

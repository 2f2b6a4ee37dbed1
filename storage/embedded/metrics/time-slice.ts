import { setImmediate } from "node:timers/promises";

/**
 * Keeps long work from holding the event loop: ask `due` between small steps and await `pause` when it is, which lets
 * everything else run and throws the signal's reason when the work is no longer wanted.
 */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined;
  readonly #budgetMs: number;
  #endMs: number;

  constructor(signal?: AbortSignal, budgetMs = 10) {
    this.#signal = signal;
    this.#budgetMs = budgetMs;
    this.#endMs = performance.now() + budgetMs;
    signal?.throwIfAborted();
  }

  get due(): boolean {
    return performance.now() >= this.#endMs;
  }

  async pause(): Promise<void> {
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#endMs = performance.now() + this.#budgetMs;
  }
}

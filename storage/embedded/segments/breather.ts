import { setImmediate } from "node:timers/promises";

/** Long loops call {@link pause} now and then so that other work gets its turn on the event loop. */
export class Breather {
  readonly #budgetMs: number;
  #since = performance.now();

  constructor(budgetMs = 10) {
    this.#budgetMs = budgetMs;
  }

  /** True when the loop has run long enough to be due for a pause. */
  get due(): boolean {
    return performance.now() - this.#since >= this.#budgetMs;
  }

  async pause(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}

import { setImmediate } from "node:timers/promises";
import { backgroundTurn } from "@sightline/model/loop-turns.ts";

/** Long loops call {@link pause} now and then so that other work gets its turn on the event loop. */
export class Breather {
  readonly #budgetMs: number;
  readonly #isBackground: boolean;
  #since = performance.now();

  /** In the background queries go first: for work that nobody waits for. */
  constructor({ budgetMs = 10, isBackground = false } = {}) {
    this.#budgetMs = budgetMs;
    this.#isBackground = isBackground;
  }

  /** True when the loop has run long enough to be due for a pause. */
  get due(): boolean {
    return performance.now() - this.#since >= this.#budgetMs;
  }

  async pause(): Promise<void> {
    await (this.#isBackground ? backgroundTurn() : setImmediate());
    this.#since = performance.now();
  }
}

import { setImmediate } from "node:timers/promises";

const TURN_MS = 10;

/** For long loops: every now and then other work gets its turn on the event loop. */
export class Turn {
  #since = performance.now();

  /** Undefined when there is no need to wait. Throws the reason of the signal. */
  next(signal: AbortSignal): Promise<void> | undefined {
    return performance.now() - this.#since < TURN_MS ? undefined : this.#yield(signal);
  }

  async #yield(signal: AbortSignal): Promise<void> {
    await setImmediate();
    signal.throwIfAborted();
    this.#since = performance.now();
  }
}

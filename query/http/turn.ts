import { setImmediate } from "node:timers/promises";

/** How long one turn of the event loop may work for a query: well below the 50 ms that none may hold it. */
const TURN_MS = 10;

/** Lets others work in between: call {@link Turn.rest} now and then in a long loop. */
export class Turn {
  #startMs = performance.now();

  /** Comes back at once while the turn is young, and after everybody else's work otherwise. */
  rest(): Promise<void> | undefined {
    return performance.now() - this.#startMs < TURN_MS ? undefined : this.#next();
  }

  async #next(): Promise<void> {
    await setImmediate();
    this.#startMs = performance.now();
  }
}

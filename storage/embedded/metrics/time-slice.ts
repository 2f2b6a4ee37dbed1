import { setImmediate } from "node:timers/promises";
import { backgroundTurn } from "@sightline/model/loop-turns.ts";

const BUDGET_MS = 10;

/**
 * Keeps long work from holding the event loop: ask `due` between small steps and await `pause` when it is, which lets
 * everything else run and throws the signal's reason when the work is no longer wanted.
 */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined;
  readonly #nextTurn: () => Promise<void>;
  #endMs: number;

  constructor(signal?: AbortSignal, nextTurn: () => Promise<void> = setImmediate) {
    this.#signal = signal;
    this.#nextTurn = nextTurn;
    this.#endMs = performance.now() + BUDGET_MS;
    signal?.throwIfAborted();
  }

  /** For work that nobody waits for: queries go first. */
  static inBackground(): TimeSlice {
    return new TimeSlice(undefined, backgroundTurn);
  }

  get due(): boolean {
    return performance.now() >= this.#endMs;
  }

  async pause(): Promise<void> {
    await this.#nextTurn();
    this.#signal?.throwIfAborted();
    this.#endMs = performance.now() + BUDGET_MS;
  }
}

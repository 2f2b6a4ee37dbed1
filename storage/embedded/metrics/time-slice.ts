import { setImmediate as nextLoopTurn } from "node:timers/promises";
import { backgroundTurn } from "@sightline/model/loop-turns.ts";

const BUDGET_MS = 10;

let turn = 0;
let isTurnWatched = false;

/** A number that is another one once the event loop has turned. */
function currentTurn(): number {
  if (!isTurnWatched) {
    isTurnWatched = true;
    setImmediate(() => {
      isTurnWatched = false;
      turn++;
    });
  }
  return turn;
}

/**
 * Keeps long work from holding the event loop: ask `due` between small steps and await `pause` when it is, which lets
 * everything else run and throws the signal's reason when the work is no longer wanted.
 */
export class TimeSlice {
  readonly #signal: AbortSignal | undefined;
  readonly #nextTurn: () => Promise<void>;
  #endMs: number;
  #turn: number;

  constructor(signal?: AbortSignal, nextTurn: () => Promise<void> = nextLoopTurn) {
    this.#signal = signal;
    this.#nextTurn = nextTurn;
    this.#endMs = performance.now() + BUDGET_MS;
    this.#turn = currentTurn();
    signal?.throwIfAborted();
  }

  /** For work that nobody waits for: queries go first. */
  static inBackground(): TimeSlice {
    return new TimeSlice(undefined, backgroundTurn);
  }

  /** Never in a turn that has just begun: whatever was waited for, others had theirs meanwhile. */
  get due(): boolean {
    const nowMs = performance.now();
    if (this.#turn !== currentTurn()) {
      this.#turn = turn;
      this.#endMs = nowMs + BUDGET_MS;
    }
    return nowMs >= this.#endMs;
  }

  async pause(): Promise<void> {
    await this.#nextTurn();
    this.#signal?.throwIfAborted();
    this.#endMs = performance.now() + BUDGET_MS;
  }
}

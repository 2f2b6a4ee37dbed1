import { nextTurn } from "./next-turn.ts";

/** How long one turn of the event loop may work for a query: well below the 50 ms that none may hold it. */
const TURN_MS = 10;
const WORK_PER_LOOK = 50_000;

/** Lets others work in between: call {@link Turn.rest} now and then in a long loop. */
export class Turn {
  #startMs = performance.now();
  #work = 0;

  get isOver(): boolean {
    return performance.now() - this.#startMs >= TURN_MS;
  }

  /** Comes back at once while the turn is young, and after everybody else's work otherwise. */
  rest(): Promise<void> | undefined {
    return performance.now() - this.#startMs < TURN_MS ? undefined : this.breathe();
  }

  /** Is it time to {@link breathe}? For loops of little work: looks at the clock only once per so much of it. */
  tired(work: number): boolean {
    this.#work += work;
    if (this.#work < WORK_PER_LOOK) return false;
    this.#work = 0;
    return performance.now() - this.#startMs >= TURN_MS;
  }

  async breathe(): Promise<void> {
    await nextTurn();
    this.#startMs = performance.now();
  }
}

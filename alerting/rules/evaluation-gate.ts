import { setImmediate as nextTurn } from "node:timers/promises";

/** Evaluations that wait for nothing would else keep everybody else waiting. */
const MAX_TURN_MS = 5;

/** Lets so many evaluations run at once, in the order they came, and others have their turn between them. */
export class EvaluationGate {
  readonly #max: number;
  #running = 0;
  #turnBegan = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      if (performance.now() - this.#turnBegan > MAX_TURN_MS) {
        await nextTurn();
        this.#turnBegan = performance.now();
      }
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The next one has our place.
      if (next) next();
      else this.#running--;
    }
  }
}

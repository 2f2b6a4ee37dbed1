/** Lets so many run at a time; the others wait in the order in which they came. */
export class ConcurrencyGate {
  readonly #max: number;
  #running = 0;
  readonly #waiting: { readonly arrivedMs: number; readonly enter: () => void }[] = [];
  constructor(max: number) {
    this.#max = max;
  }

  /** How long the next one has been waiting; 0 when nobody is. */
  get waitedMs(): number {
    const [first] = this.#waiting;
    return first ? performance.now() - first.arrivedMs : 0;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.#max) this.#running++;
    else await new Promise<void>((enter) => this.#waiting.push({ arrivedMs: performance.now(), enter }));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The next one takes over this one's place.
      if (next) next.enter();
      else this.#running--;
    }
  }
}

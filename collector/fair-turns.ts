/** Of each turn of the event loop. A query beside it waits no longer for its next step than this and what the network takes. */
const SLICE_MS = 10;

type Waiter = { readonly arrivedMs: number; readonly enter: () => void };

/**
 * Shares the event loop between requests and the rest of the process. Whoever is about to hold the loop for milliseconds
 * asks for a turn first; when this turn of the loop has had its share they wait for a later one, in the order in which
 * they came. What was logged is applied before more is decoded, so that what is half done does not pile up.
 */
export class FairTurns {
  readonly #applying: Waiter[] = [];
  readonly #decoding: Waiter[] = [];
  #startedMs = 0;
  #isScheduled = false;

  /** How long the next one to decode has been waiting; 0 when nobody is. */
  get waitedMs(): number {
    const [first] = this.#decoding;
    return first ? performance.now() - first.arrivedMs : 0;
  }

  /** undefined: now; otherwise once it settles. The work has to be done in the same microtask. */
  next(work: "apply" | "decode"): Promise<void> | undefined {
    const waiting = work === "apply" ? this.#applying : this.#decoding;
    const now = performance.now();
    if (!this.#isScheduled) {
      this.#startedMs = now;
      this.#schedule();
    }
    if (waiting.length === 0 && now - this.#startedMs < SLICE_MS) return undefined;
    return new Promise((enter) => waiting.push({ arrivedMs: now, enter }));
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#isScheduled = false;
    if (this.#applying.length + this.#decoding.length === 0) return;
    this.#startedMs = performance.now();
    this.#schedule();
    do {
      (this.#applying.shift() ?? this.#decoding.shift())?.enter();
      // Its work is done when this goes on.
      await undefined;
    } while (this.#applying.length + this.#decoding.length > 0 && performance.now() - this.#startedMs < SLICE_MS);
  }
}

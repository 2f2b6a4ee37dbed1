/** Of each turn of the event loop, if the rest of the process takes little of it. */
const MIN_SLICE_MS = 10;
/** A query waits for its next step no longer than this and what the network takes. */
const MAX_SLICE_MS = 60;

type Waiter = { readonly arrivedMs: number; readonly enter: () => void };

/**
 * Shares the event loop between requests and the rest of the process. Whoever is about to hold the loop for milliseconds
 * asks for a turn first; when this turn of the loop has had its share they wait for a later one, in the order in which
 * they came. What was logged is applied, and what was begun is finished, before more is decoded, so that what is half
 * done does not pile up.
 *
 * The share is as long as what the rest took since the last one: reading and refusing more than can be taken must not
 * leave ever less time for what is taken.
 */
export class FairTurns {
  readonly #urgent: Waiter[] = [];
  readonly #decoding: Waiter[] = [];
  #startedMs = 0;
  #endedMs = 0;
  #sliceMs = MIN_SLICE_MS;
  #isScheduled = false;

  /** How long the next one to decode has been waiting; 0 when nobody is. */
  get waitedMs(): number {
    const [first] = this.#decoding;
    return first ? performance.now() - first.arrivedMs : 0;
  }

  /** undefined: now; otherwise once it settles. The work has to be done in the same microtask. */
  next(work: "apply" | "go-on" | "decode"): Promise<void> | undefined {
    const waiting = work === "decode" ? this.#decoding : this.#urgent;
    const now = performance.now();
    if (!this.#isScheduled) {
      this.#startedMs = now;
      this.#endedMs = now;
      this.#sliceMs = MIN_SLICE_MS;
      this.#schedule();
    }
    if (waiting.length === 0 && now - this.#startedMs < this.#sliceMs) return undefined;
    return new Promise((enter) => waiting.push({ arrivedMs: now, enter }));
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    this.#isScheduled = false;
    if (this.#urgent.length + this.#decoding.length === 0) return;
    this.#startedMs = performance.now();
    this.#sliceMs = Math.min(MAX_SLICE_MS, Math.max(MIN_SLICE_MS, this.#startedMs - this.#endedMs));
    this.#schedule();
    do {
      (this.#urgent.shift() ?? this.#decoding.shift())?.enter();
      // Its work is done when this goes on.
      await undefined;
    } while (this.#urgent.length + this.#decoding.length > 0 && performance.now() - this.#startedMs < this.#sliceMs);
    this.#endedMs = performance.now();
  }
}

import { queriesHurry, shareBesideQueries } from "@sightline/model/loop-turns.ts";

/** Of each turn of the event loop, if the rest of the process takes little of it. */
const MIN_SLICE_MS = 10;
/** A query waits for its next step no longer than this and what the network takes. */
const MAX_SLICE_MS = 60;
/** While queries are in a hurry. */
const SLICE_BESIDE_QUERIES_MS = 5;

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
      this.#sliceMs = sliceMs(0);
      this.#schedule();
    }
    if (waiting.length === 0 && now - this.#startedMs < this.#sliceMs) return undefined;
    return new Promise((enter) => waiting.push({ arrivedMs: now, enter }));
  }

  #schedule(restMs = 0): void {
    this.#isScheduled = true;
    if (restMs >= 1) setTimeout(() => void this.#turn(), restMs);
    else setImmediate(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    if (this.#urgent.length + this.#decoding.length === 0) {
      this.#isScheduled = false;
      return;
    }
    this.#startedMs = performance.now();
    this.#sliceMs = sliceMs(this.#startedMs - this.#endedMs);
    do {
      (this.#urgent.shift() ?? this.#decoding.shift())?.enter();
      // Its work is done when this goes on.
      await undefined;
    } while (this.#urgent.length + this.#decoding.length > 0 && performance.now() - this.#startedMs < this.#sliceMs);
    this.#endedMs = performance.now();
    const share = shareBesideQueries();
    this.#schedule((this.#endedMs - this.#startedMs) * (1 / share - 1));
  }
}

function sliceMs(restMs: number): number {
  if (queriesHurry()) return SLICE_BESIDE_QUERIES_MS;
  // What it rests is not what others needed.
  if (shareBesideQueries() < 1) return MIN_SLICE_MS;
  return Math.min(MAX_SLICE_MS, Math.max(MIN_SLICE_MS, restMs));
}

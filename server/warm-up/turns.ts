import { setTimeout as sleep } from "node:timers/promises";
import type { QueryGate } from "@sightline/query/http/query-gate.ts";

/** Who asks one thing after the other is not made to wait in between. */
const IDLE_MS = 100;
const LOOK_MS = 20;
/** After so much work it pauses, to see what others do. */
const WORK_MS = 150;
const PAUSE_MS = 10;
/** Of the time; when others have the event loop for more, it leaves most of the rest to them, too. */
const BUSY = 0.3;
const WORK_BESIDE_OTHERS_MS = 10;
/** As a multiple of the work before it. */
const PAUSE_BESIDE_OTHERS = 9;

/**
 * Says when the next step of the warm-up may be taken: not while somebody else asks, and only for a tenth of the
 * time while the process is busy with something else, such as taking in what is sent. Steps are taken one after the other.
 */
export class Turns {
  /** Ends the warm-up when it aborts. */
  readonly signal: AbortSignal;
  readonly #gate: Pick<QueryGate, "idleMs"> | undefined;
  #givenAtMs = performance.now();
  #workedMs = 0;
  #workedSincePauseMs = 0;
  #areOthersBusy = false;

  /** `gate` is that of the real queries. */
  constructor(gate: Pick<QueryGate, "idleMs"> | undefined, signal: AbortSignal) {
    this.#gate = gate;
    this.signal = signal;
  }

  /** Milliseconds of the steps so far, without those between them. */
  get workedMs(): number {
    return this.#workedMs;
  }

  /** Settles when the next step may be taken; the one before has been. Throws when the signal aborts. */
  async next(): Promise<void> {
    this.signal.throwIfAborted();
    const stepMs = performance.now() - this.#givenAtMs;
    this.#workedMs += stepMs;
    this.#workedSincePauseMs += stepMs;
    if (this.#workedSincePauseMs >= (this.#areOthersBusy ? WORK_BESIDE_OTHERS_MS : WORK_MS)) await this.#pause();
    while (this.#gate && this.#gate.idleMs < IDLE_MS) await this.#sleep(LOOK_MS);
    this.#givenAtMs = performance.now();
  }

  /** What uses the event loop meanwhile are others. */
  async #pause(): Promise<void> {
    const before = performance.eventLoopUtilization();
    await this.#sleep(this.#areOthersBusy ? PAUSE_BESIDE_OTHERS * this.#workedSincePauseMs : PAUSE_MS);
    this.#areOthersBusy = performance.eventLoopUtilization(before).utilization > BUSY;
    this.#workedSincePauseMs = 0;
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.signal });
  }
}

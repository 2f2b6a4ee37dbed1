import { setTimeout as sleep } from "node:timers/promises";
import { isAway } from "./database-error.ts";

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 500;

/** Of one thing that is to be done until it succeeds, or nobody waits any longer. */
export type Patience = {
  /** It is done, or has begun to be. */
  answered(): void;
  /** Waits a little after a failure; true when it may be tried again. Throws the reason of the signal soon after it aborts. */
  allows(error: unknown): Promise<boolean>;
};

/**
 * What a server that went away means for those who ask it: they wait while it restarts. In an outage that lasts longer than
 * `maxMs` only those of its first moments wait; whoever comes later is told at once.
 */
export class Outage {
  readonly #maxMs: number;
  readonly #waited: (result: "answered" | "failed") => void;
  readonly #stopping = new AbortController();
  /** When it was first missed since it last answered. */
  #sinceMs: number | undefined;

  /** `waited` is called for everything that had to wait, once it ended. */
  constructor(maxMs: number, waited: (result: "answered" | "failed") => void) {
    this.#maxMs = maxMs;
    this.#waited = waited;
  }

  /** The server answered, whoever asked. */
  end(): void {
    this.#sinceMs = undefined;
  }

  /** Nobody waits any longer. */
  stop(): void {
    this.#stopping.abort();
  }

  patience(signal: AbortSignal): Patience {
    let hasWaited = false;
    let untilMs: number | undefined;
    let pauseMs = FIRST_PAUSE_MS;
    const ended = (result: "answered" | "failed") => {
      if (hasWaited) this.#waited(result);
      hasWaited = false;
    };
    return {
      answered: () => {
        this.end();
        ended("answered");
      },
      allows: async (error) => {
        const nowMs = performance.now();
        const missed = isAway(error);
        if (missed) this.#sinceMs ??= nowMs;
        // Others may be answered in between, by another server: this one's wait is bounded, too.
        untilMs ??= nowMs + this.#maxMs;
        const leftMs = Math.min(untilMs, (this.#sinceMs ?? nowMs) + this.#maxMs) - nowMs;
        if (missed && leftMs > 0) {
          hasWaited = true;
          // Not all at the same moment: the server has just come back.
          await this.#pause(Math.min(leftMs, pauseMs * (0.5 + Math.random() / 2)), signal);
          pauseMs = Math.min(MAX_PAUSE_MS, 2 * pauseMs);
          signal.throwIfAborted();
          if (!this.#stopping.signal.aborted) return true;
        }
        ended("failed");
        return false;
      },
    };
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(ms, undefined, { signal: AbortSignal.any([signal, this.#stopping.signal]) }).catch(() => {});
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sightline/model/logger.ts";

export type BackgroundTaskOptions = {
  /** What is logged when it fails. */
  readonly failure: string;
  readonly logger: Logger;
  readonly details: Readonly<Record<string, unknown>>;
  readonly work: () => Promise<void>;
};

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;

/** Work that nobody waits for. It never runs beside itself, and after a failure not before a pause, longer each time. */
export class BackgroundTask {
  readonly #options: BackgroundTaskOptions;
  #isRunning = false;
  #failures = 0;
  #retryAtMs = 0;

  constructor(options: BackgroundTaskOptions) {
    this.#options = options;
  }

  /** Begins unless it is running or pausing. */
  start(): void {
    if (this.#isRunning || performance.now() < this.#retryAtMs) return;
    this.#run().catch((error: unknown) => this.#failed(error));
  }

  /**
   * Begins, and settles when it is done, has failed, or takes longer than `patienceMs`: then it goes on in the background. Throws
   * an error that `isFinal`, if it comes in time.
   */
  async startWith(patienceMs: number, isFinal: (error: unknown) => boolean): Promise<void> {
    let isPatient = true;
    const work = this.#run().catch((error: unknown) => {
      if (isPatient && isFinal(error)) throw error;
      this.#failed(error);
    });
    const patience = new AbortController();
    try {
      await Promise.race([work, sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
    } finally {
      isPatient = false;
      patience.abort();
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      await this.#options.work();
      this.#failures = 0;
    } finally {
      this.#isRunning = false;
    }
  }

  #failed(error: unknown): void {
    const { logger, failure, details } = this.#options;
    const retryMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    this.#retryAtMs = performance.now() + retryMs;
    logger.error(failure, { ...details, retryMs, error });
  }
}

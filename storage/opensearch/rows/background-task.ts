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
    this.#isRunning = true;
    this.#options
      .work()
      .then(() => {
        this.#failures = 0;
      })
      .catch((error: unknown) => this.failed(error))
      .finally(() => {
        this.#isRunning = false;
      });
  }

  /** Counts a failure of the same work that was done elsewhere. */
  failed(error: unknown): void {
    const { logger, failure, details } = this.#options;
    const retryMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    this.#retryAtMs = performance.now() + retryMs;
    logger.error(failure, { ...details, retryMs, error });
  }
}

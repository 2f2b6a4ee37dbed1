import type { Logger } from "@sightline/model/logger.ts";

export type SegmentWorkOptions = {
  readonly flush: () => Promise<void>;
  readonly maintain: () => Promise<void>;
  /** Asked once a second. */
  readonly isFlushDue: () => boolean;
  readonly logger: Logger;
};

const TICK_MS = 1_000;
/** A failed flush is tried again after so long. */
const RETRY_MS = 10_000;
const MAINTENANCE_MS = 60_000;

/** Everything that changes which segments there are, one after the other, and when flushes and maintenance happen by themselves. */
export class SegmentWork {
  readonly #options: SegmentWorkOptions;
  /** Settles when all that was given so far is done. Never rejects. */
  #done: Promise<void> = Promise.resolve();
  #flushWanted = false;
  #maintenance: Promise<void> | undefined;
  #retryAtMs = 0;
  #maintainedAtMs = performance.now();
  #ticker: NodeJS.Timeout | undefined;

  constructor(options: SegmentWorkOptions) {
    this.#options = options;
  }

  /** From now on flushes and maintenance happen by themselves. */
  start(): void {
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** Nothing happens by itself any more. What was given is done: see {@link settled}. */
  stop(): void {
    clearInterval(this.#ticker);
  }

  /** Settles when all that was given so far is done, or has failed. */
  settled(): Promise<void> {
    return this.#done;
  }

  /** Does it when all that was given before is done. Throws what it throws. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#done.then(work);
    this.#done = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  flush(): Promise<void> {
    return this.run(this.#options.flush);
  }

  maintain(): Promise<void> {
    return this.run(this.#options.maintain);
  }

  /** A flush has failed a moment ago, and none happens by itself until it is tried again. */
  get isFlushFailing(): boolean {
    return performance.now() < this.#retryAtMs;
  }

  /** Unless one is on its way, or the last one has failed a moment ago. */
  wantFlush(): void {
    if (this.#flushWanted || this.isFlushFailing) return;
    this.#flushWanted = true;
    this.flush()
      .catch((error) => {
        this.#retryAtMs = performance.now() + RETRY_MS;
        const { logger } = this.#options;
        logger.error("can't write rows to disk; they stay in memory and in the write-ahead log", { error });
      })
      .finally(() => {
        this.#flushWanted = false;
      });
  }

  /** Settles when it is done, or has failed. */
  wantMaintenance(): Promise<void> {
    const { logger } = this.#options;
    this.#maintenance ??= this.maintain()
      .catch((error) => logger.error("can't expire or merge segments; it is tried again later", { error }))
      .finally(() => {
        this.#maintenance = undefined;
        this.#maintainedAtMs = performance.now();
      });
    return this.#maintenance;
  }

  #tick(): void {
    if (this.#options.isFlushDue()) this.wantFlush();
    if (performance.now() - this.#maintainedAtMs >= MAINTENANCE_MS) void this.wantMaintenance();
  }
}

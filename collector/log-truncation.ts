import type { Logger } from "@sightline/model/logger.ts";
import type { Store } from "@sightline/model/ports.ts";
import type { StoreQueue } from "./store-queue.ts";
import type { WriteAheadLog } from "./wal/write-ahead-log.ts";

export type LogTruncationOptions = {
  readonly wal: WriteAheadLog;
  /** Bytes that the log may have. */
  readonly maxBytes: number;
  readonly stores: readonly Store<never>[];
  readonly queues: readonly Pick<StoreQueue<never>, "firstPending">[];
  /** The position up to which the queues know everything. */
  readonly handedOver: () => number;
  readonly logger: Logger;
};

/** A store that keeps the log from shrinking is told to flush when the log is this full. */
const FLUSH_AT = 0.7;

/** Gives back what the write-ahead log keeps and no store needs any more. */
export class LogTruncation {
  readonly #options: LogTruncationOptions;
  #timer: NodeJS.Timeout | undefined;
  #truncating: Promise<void> | undefined;

  constructor(options: LogTruncationOptions) {
    this.#options = options;
  }

  start(intervalMs: number): void {
    this.#timer = setInterval(() => void this.run(), intervalMs);
    this.#timer.unref();
  }

  /** Settles when what runs is done. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#truncating;
  }

  /** Never rejects: what fails is tried again next time. */
  run(): Promise<void> {
    this.#truncating ??= this.#truncate()
      .catch((error: unknown) => this.#options.logger.error("could not shorten the write-ahead log", { error }))
      .finally(() => {
        this.#truncating = undefined;
      });
    return this.#truncating;
  }

  async #truncate(): Promise<void> {
    const { wal, maxBytes } = this.#options;
    if (wal.bytes > FLUSH_AT * maxBytes) await this.#flushOldest();
    await wal.truncateBefore(this.#lowestNeeded());
  }

  /** The lowest position that would be missed after a crash. */
  #lowestNeeded(): number {
    const { queues, stores, handedOver } = this.#options;
    let lowest = handedOver() + 1;
    for (const queue of queues) lowest = Math.min(lowest, queue.firstPending() ?? lowest);
    for (const store of stores) lowest = Math.min(lowest, store.firstUnflushedPosition() ?? lowest);
    return lowest;
  }

  async #flushOldest(): Promise<void> {
    let oldest: { store: Store<never>; position: number } | undefined;
    for (const store of this.#options.stores) {
      const position = store.firstUnflushedPosition();
      if (position !== undefined && (!oldest || position < oldest.position)) oldest = { store, position };
    }
    await oldest?.store.flush();
  }
}

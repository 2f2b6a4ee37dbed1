import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { AppendResult, Store } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** Counts the patterns of what a store has taken; never throws. */
export type LogObserver = { observe(tenant: TenantId, batch: LogBatch, position: number): Promise<void> };

/** A store of log records whose batches are shown to an observer once it has taken them, those of a replay too. */
export class MinedLogs implements Store<LogBatch> {
  readonly name: string;
  readonly #store: Store<LogBatch>;
  readonly #observer: LogObserver;

  /** Both are started and stopped by whoever made them. */
  constructor(store: Store<LogBatch>, observer: LogObserver) {
    this.name = store.name;
    this.#store = store;
    this.#observer = observer;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  /** Settles when both are done: who observes slowly is waited for, and not queued up in front of. */
  async append(tenant: TenantId, batch: LogBatch, position: number): Promise<AppendResult> {
    const result = await this.#store.append(tenant, batch, position);
    await this.#observer.observe(tenant, batch, position);
    return result;
  }

  firstUnflushedPosition(): number | undefined {
    return this.#store.firstUnflushedPosition();
  }

  fullness(): string | undefined {
    return this.#store.fullness?.();
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }
}

import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogFeed } from "@sightline/model/log-store.ts";
import type { AppendResult, Store } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

type Listener = (batch: LogBatch) => void;

/** The store of log records, and whoever wants to see what it takes. Costs nothing while nobody watches. */
export class LiveLogs implements Store<LogBatch>, LogFeed {
  readonly name: string;
  readonly #store: Store<LogBatch>;
  readonly #isAlone: boolean;
  readonly #listeners = new Map<TenantId, Set<Listener>>();

  /** The store is started and stopped by whoever made it. `isAlone`: no other process writes to it. */
  constructor(store: Store<LogBatch>, { isAlone }: { readonly isAlone: boolean }) {
    this.#isAlone = isAlone;
    this.name = store.name;
    this.#store = store;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  subscribe(tenant: TenantId, listener: Listener): () => void {
    const listeners = this.#listeners.get(tenant) ?? new Set();
    this.#listeners.set(tenant, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(tenant) === listeners) this.#listeners.delete(tenant);
    };
  }

  isWhole(): boolean {
    return this.#isAlone;
  }

  async append(tenant: TenantId, batch: LogBatch, position: number): Promise<AppendResult> {
    const result = await this.#store.append(tenant, batch, position);
    for (const listener of this.#listeners.get(tenant) ?? []) listener(batch);
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

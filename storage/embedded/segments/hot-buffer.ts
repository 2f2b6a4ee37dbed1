import type { TenantId } from "@sightline/model/tenant.ts";

/** Rows that are not in a segment yet, as they came. */
export type HotBatch<Batch> = {
  readonly batch: Batch;
  readonly position: number;
  readonly rows: number;
  /** Estimated. */
  readonly bytes: number;
  /** First and last event time, both included. */
  readonly minNs: bigint;
  readonly maxNs: bigint;
  readonly arrivedMs: number;
};

/** How many batches of each tenant: what a flush takes, and drops when it is done. */
export type HotMark = ReadonlyMap<TenantId, number>;

/** The batches of all tenants that the write-ahead log still has to keep. */
export class HotBuffer<Batch> {
  readonly #byTenant = new Map<TenantId, HotBatch<Batch>[]>();
  #rows = 0;
  #bytes = 0;

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get tenants(): readonly TenantId[] {
    return [...this.#byTenant.keys()];
  }

  add(tenant: TenantId, hot: HotBatch<Batch>): void {
    const list = this.#byTenant.get(tenant);
    if (list) list.push(hot);
    else this.#byTenant.set(tenant, [hot]);
    this.#rows += hot.rows;
    this.#bytes += hot.bytes;
  }

  /** A copy of the list: what is added or dropped later does not show in it. */
  batchesOf(tenant: TenantId): readonly HotBatch<Batch>[] {
    return this.#byTenant.get(tenant)?.slice() ?? [];
  }

  /** Positions and arrival ascend within a tenant, so the first batch of each is enough. */
  get first(): { readonly position: number; readonly arrivedMs: number } | undefined {
    let position = Number.POSITIVE_INFINITY;
    let arrivedMs = Number.POSITIVE_INFINITY;
    for (const [hot] of this.#byTenant.values()) {
      if (!hot) continue;
      position = Math.min(position, hot.position);
      arrivedMs = Math.min(arrivedMs, hot.arrivedMs);
    }
    return position === Number.POSITIVE_INFINITY ? undefined : { position, arrivedMs };
  }

  /** Of the oldest batches as many as take `maxBytes` together, one at least, and the position of the last of them. */
  mark(maxBytes: number): { readonly mark: HotMark; readonly lastPosition: number } {
    const inOrder = [...this.#byTenant].flatMap(([tenant, list]) => list.map((hot) => ({ tenant, hot })));
    inOrder.sort((a, b) => a.hot.position - b.hot.position);
    const mark = new Map<TenantId, number>();
    let lastPosition = -1;
    let bytes = 0;
    for (const { tenant, hot } of inOrder) {
      bytes += hot.bytes;
      if (bytes > maxBytes && mark.size > 0 && hot.position > lastPosition) break;
      mark.set(tenant, (mark.get(tenant) ?? 0) + 1);
      lastPosition = hot.position;
    }
    return { mark, lastPosition };
  }

  drop(mark: HotMark): void {
    for (const [tenant, count] of mark) {
      const list = this.#byTenant.get(tenant) ?? [];
      for (const hot of list.slice(0, count)) {
        this.#rows -= hot.rows;
        this.#bytes -= hot.bytes;
      }
      if (count >= list.length) this.#byTenant.delete(tenant);
      else this.#byTenant.set(tenant, list.slice(count));
    }
  }
}

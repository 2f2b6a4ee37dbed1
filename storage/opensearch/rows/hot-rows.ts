import type { TenantId } from "@sightline/model/tenant.ts";

/** A batch as it came, and which of its rows are kept. */
export type HotBatch<Batch> = {
  readonly tenant: TenantId;
  readonly batch: Batch;
  readonly position: number;
  /** Numbers of the rows, ascending. */
  readonly rows: Uint32Array;
  /** Estimated. */
  readonly bytes: number;
  /** First and last time, both included. */
  readonly minNs: bigint;
  readonly maxNs: bigint;
  /** Of the monotonic clock. */
  readonly arrivedMs: number;
  /** Of the calendar. */
  readonly ingestedAtMs: number;
};

/** Batches that queries do not find in OpenSearch yet, all tenants', in the order of their positions. */
export class HotRows<Batch> {
  #batches: HotBatch<Batch>[] = [];
  #rows = 0;
  #bytes = 0;

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): HotBatch<Batch> | undefined {
    return this.#batches[0];
  }

  get last(): HotBatch<Batch> | undefined {
    return this.#batches.at(-1);
  }

  /** Positions must ascend. */
  add(batch: HotBatch<Batch>): void {
    this.#batches.push(batch);
    this.#rows += batch.rows.length;
    this.#bytes += batch.bytes;
  }

  /** A copy: what is added or dropped later does not show in it. */
  batchesOf(tenant: TenantId): readonly HotBatch<Batch>[] {
    return this.#batches.filter((hot) => hot.tenant === tenant);
  }

  /**
   * The oldest up to the position but for the first `skipped` batches, as many as have `maxRows` together, one at least; those of
   * one position all or none.
   */
  portion(maxRows: number, untilPosition: number, skipped = 0): readonly HotBatch<Batch>[] {
    let rows = 0;
    let end = skipped;
    for (; end < this.#batches.length; end++) {
      const { rows: own, position } = this.#batches[end] as HotBatch<Batch>;
      const isNew = position !== this.#batches[end - 1]?.position;
      if (position > untilPosition || (end > skipped && isNew && rows + own.length > maxRows)) break;
      rows += own.length;
    }
    return this.#batches.slice(skipped, end);
  }

  /** The oldest `count` batches. */
  drop(count: number): void {
    for (const { rows, bytes } of this.#batches.slice(0, count)) {
      this.#rows -= rows.length;
      this.#bytes -= bytes;
    }
    this.#batches = this.#batches.slice(count);
  }
}

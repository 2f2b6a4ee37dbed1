import type { RowDeletion } from "@sightline/model/row-deletion.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { Operation, TraceStore } from "@sightline/model/trace-store.ts";
import type { EmbeddedTracesConfig } from "../config.ts";
import { Breather } from "../segments/breather.ts";
import { isHexId, wordOfHex } from "../segments/hex-id.ts";
import type { FindRows } from "../segments/row-deleter.ts";
import { SegmentedStore, type SegmentedStoreOptions } from "../segments/segmented-store.ts";
import { findSpanRows } from "./find-span-rows.ts";
import { OperationTable } from "./operation-table.ts";
import { spanBatchOfChunk, sqlOfRange, sqlOfTrace } from "./segment-spans.ts";
import { pickSpanRows } from "./span-batch-rows.ts";
import { addOperations, SpanSegmentCodec } from "./span-segment-codec.ts";
import type { SpanSegmentIndex } from "./span-segment-index.ts";

export type EmbeddedTraceStoreOptions = SegmentedStoreOptions & { readonly config: EmbeddedTracesConfig };

/**
 * Spans in memory and in Parquet segments. A trace is looked up only in segments whose Bloom filter may have it, and
 * there only in the row group that its id sorts into; services and operations come from the segments' indexes.
 */
export class EmbeddedTraceStore extends SegmentedStore<SpanBatch, SpanSegmentIndex> implements TraceStore {
  readonly name = "embedded trace store";
  /** Batches never change, so what is in them is found out once. */
  readonly #operationsOfBatch = new WeakMap<SpanBatch, OperationTable>();

  constructor(options: EmbeddedTraceStoreOptions) {
    super(options, new SpanSegmentCodec(options.config.max_attribute_columns));
  }

  protected override findRows(request: RowDeletion, signal: AbortSignal): FindRows {
    return findSpanRows(this.reader, request, signal);
  }

  async trace(tenant: TenantId, traceId: string, signal: AbortSignal): Promise<readonly SpanBatch[]> {
    signal.throwIfAborted();
    if (!isHexId(traceId, 2)) return [];
    const [high, low] = [wordOfHex(traceId, 0), wordOfHex(traceId, 1)];
    const snapshot = this.reader.snapshot(tenant);
    const found: SpanBatch[] = [];
    const breather = new Breather();
    try {
      for (const { batch } of snapshot.hot) {
        const rows = rowsOfTrace(batch, traceId);
        if (rows.length > 0) found.push(pickSpanRows(batch, rows));
        if (breather.due) await breather.pause();
      }
      for (const segment of snapshot.segments) {
        signal.throwIfAborted();
        const index = await this.reader.withIndex(segment, (known) => known, { verify: false });
        if (!index?.traces.mayHave(high, low)) continue;
        if (!(await this.reader.withIndex(segment, (known) => known))) continue;
        const sql = sqlOfTrace(segment, index, high, low);
        for await (const chunk of this.reader.database.stream(sql, [], signal)) {
          found.push(spanBatchOfChunk(chunk, index));
        }
      }
    } finally {
      snapshot.release();
    }
    return withoutRepeats(found);
  }

  async *spans(tenant: TenantId, range: TimeRangeNs, signal: AbortSignal): AsyncGenerator<SpanBatch> {
    signal.throwIfAborted();
    const snapshot = this.reader.snapshot(tenant);
    const overlaps = ({ minNs, maxNs }: { readonly minNs: bigint; readonly maxNs: bigint }) =>
      maxNs >= range.startNs && minNs < range.endNs;
    const breather = new Breather();
    try {
      for (const { batch } of snapshot.hot.filter(overlaps)) {
        signal.throwIfAborted();
        const rows = rowsInRange(batch, range);
        if (rows.length > 0) yield rows.length === batch.length ? batch : pickSpanRows(batch, rows);
        if (breather.due) await breather.pause();
      }
      for (const segment of snapshot.segments.filter(({ info }) => overlaps(info))) {
        const index = await this.reader.withIndex(segment, (known) => known);
        if (!index) continue;
        for await (const chunk of this.reader.database.stream(sqlOfRange(segment, index, range), [], signal)) {
          yield spanBatchOfChunk(chunk, index);
          if (breather.due) await breather.pause();
        }
      }
    } finally {
      snapshot.release();
    }
  }

  async services(tenant: TenantId, signal: AbortSignal): Promise<readonly string[]> {
    const { services } = await this.#operations(tenant, signal);
    return services.filter((service) => service !== "").sort();
  }

  async operations(tenant: TenantId, service: string, signal: AbortSignal): Promise<readonly Operation[]> {
    const operations = (await this.#operations(tenant, signal)).operationsOf(service);
    return operations.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.kind - b.kind));
  }

  async #operations(tenant: TenantId, signal: AbortSignal): Promise<OperationTable> {
    signal.throwIfAborted();
    const snapshot = this.reader.snapshot(tenant);
    const all = new OperationTable();
    const breather = new Breather();
    try {
      for (const { batch } of snapshot.hot) {
        all.addAll(this.#hotOperations(batch));
        if (breather.due) await breather.pause();
      }
      for (const segment of snapshot.segments) {
        await this.reader.withIndex(segment, ({ operations }) => all.addAll(operations), { verify: false });
        signal.throwIfAborted();
        if (breather.due) await breather.pause();
      }
    } finally {
      snapshot.release();
    }
    return all;
  }

  #hotOperations(batch: SpanBatch): OperationTable {
    let operations = this.#operationsOfBatch.get(batch);
    if (!operations) {
      operations = new OperationTable();
      addOperations(operations, batch);
      this.#operationsOfBatch.set(batch, operations);
    }
    return operations;
  }
}

function rowsOfTrace({ traceIds, length }: SpanBatch, traceId: string): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < length; row++) if (traceIds[row] === traceId) rows.push(row);
  return Uint32Array.from(rows);
}

function rowsInRange({ startsNs, length }: SpanBatch, { startNs, endNs }: TimeRangeNs): Uint32Array {
  const rows: number[] = [];
  for (let row = 0; row < length; row++) {
    const start = startsNs[row] as bigint;
    if (start >= startNs && start < endNs) rows.push(row);
  }
  return Uint32Array.from(rows);
}

/** A sender that got no answer sends again, so the same span may have been stored twice. */
function withoutRepeats(batches: readonly SpanBatch[]): readonly SpanBatch[] {
  const seen = new Set<string>();
  const unique: SpanBatch[] = [];
  for (const batch of batches) {
    const rows: number[] = [];
    for (let row = 0; row < batch.length; row++) {
      const key = `${batch.spanIds[row]}${batch.startsNs[row]}`;
      if (seen.has(key)) continue;
      seen.add(key);
      rows.push(row);
    }
    if (rows.length === batch.length) unique.push(batch);
    else if (rows.length > 0) unique.push(pickSpanRows(batch, Uint32Array.from(rows)));
  }
  return unique;
}

import { attributeValue } from "@sightline/model/attributes.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Dependency } from "@sightline/model/ports.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { SpanBatch, SpanSource } from "@sightline/model/span-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { Operation, TraceStore } from "@sightline/model/trace-store.ts";
import type { HotBatch } from "../rows/hot-rows.ts";
import type { RowFilter } from "../rows/row-codec.ts";
import { type OpenSearchStoreOptions, RowsStore } from "../rows/rows-store.ts";
import { SEARCH_OPTIONS } from "../rows/search-rows.ts";
import { isTraceId } from "./hex-ids.ts";
import { type Span, SpanCodec } from "./span-codec.ts";
import { ALL_SPANS, spansOfTrace, spansWith } from "./span-filter.ts";

const ALL_TIMES: TimeRangeNs = { startNs: -(2n ** 63n), endNs: 2n ** 63n };
const NAMES_PER_PAGE = 1_000;
/** A person choosing from a list does not look at so many. */
const MAX_OPERATIONS = 5_000;

type NamesAnswer = {
  readonly aggregations?: {
    readonly names: {
      readonly after_key?: object;
      readonly buckets: readonly { readonly key: Readonly<Record<string, string | number>> }[];
    };
  };
};

/** Spans in memory until OpenSearch has them, and there. A trace is found by its id, whenever it was. */
export class OpenSearchTraceStore implements TraceStore {
  readonly name = "OpenSearch trace store";
  readonly #codec: SpanCodec;
  readonly #store: RowsStore<SpanBatch, Span>;

  constructor(options: OpenSearchStoreOptions) {
    this.#codec = new SpanCodec(options.config);
    this.#store = new RowsStore(options, this.#codec);
  }

  get dependencies(): readonly Dependency[] {
    return this.#store.dependencies;
  }

  get memoryParts(): readonly MemoryPart[] {
    return this.#store.memoryParts;
  }

  start(): Promise<void> {
    return this.#store.start();
  }

  stop(): Promise<void> {
    return this.#store.stop();
  }

  append(tenant: TenantId, batch: SpanBatch, position: number): Promise<AppendResult> {
    return this.#store.append(tenant, batch, position);
  }

  firstUnflushedPosition(): number | undefined {
    return this.#store.firstUnflushedPosition();
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }

  /** Rolls indexes over, drops expired ones and removes deleted rows now; it happens by itself once a minute. */
  maintain(): Promise<void> {
    return this.#store.maintain();
  }

  async trace(tenant: TenantId, traceId: string, signal: AbortSignal): Promise<readonly SpanBatch[]> {
    signal.throwIfAborted();
    if (!isTraceId(traceId)) return [];
    const seen = new Set<string>();
    const found: SpanBatch[] = [];
    for await (const spans of this.#rows(tenant, ALL_TIMES, spansOfTrace(traceId), signal)) {
      // A sender that got no answer sends again, so the same span may have been stored twice.
      const unique = spans.filter(({ spanId, timeNs }) => {
        const key = `${spanId}${timeNs}`;
        return !seen.has(key) && seen.add(key);
      });
      if (unique.length > 0) found.push(this.#codec.batchOf(unique));
    }
    return found;
  }

  async *spans(tenant: TenantId, range: TimeRangeNs, signal: AbortSignal): AsyncGenerator<SpanBatch> {
    for await (const spans of this.#rows(tenant, range, ALL_SPANS, signal)) yield this.#codec.batchOf(spans);
  }

  async services(tenant: TenantId, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    const found = new Set<string>();
    for (const { batch } of this.#store.snapshot(tenant).hot) {
      for (const source of batch.sources) found.add(serviceOf(source));
    }
    for await (const keys of this.#names(tenant, [], ["service_id"], signal)) {
      for (const { service_id } of keys) found.add(service_id as string);
    }
    found.delete("");
    return [...found].sort();
  }

  async operations(tenant: TenantId, service: string, signal: AbortSignal): Promise<readonly Operation[]> {
    signal.throwIfAborted();
    const found = new Map<string, Operation>();
    const add = (name: string, kind: number) => {
      if (found.size < MAX_OPERATIONS) found.set(`${kind} ${name}`, { name, kind });
    };
    for (const hot of this.#store.snapshot(tenant).hot) addOperations(hot, service, add);
    const isUnnamed = { bool: { must_not: [{ exists: { field: "service_id" } }] } };
    const ofService = service === "" ? isUnnamed : { term: { service_id: service } };
    for await (const keys of this.#names(tenant, [ofService], ["name", "kind"], signal)) {
      for (const { name, kind } of keys) add(name as string, kind as number);
      if (found.size >= MAX_OPERATIONS) break;
    }
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.kind - b.kind));
  }

  deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion> {
    return this.#store.deleteRows(request, spansWith(request.attributes), signal);
  }

  deletions(tenant: TenantId): Promise<readonly Deletion[]> {
    return this.#store.deletions(tenant);
  }

  cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    return this.#store.cancelDeletion(tenant, id);
  }

  #rows(tenant: TenantId, range: TimeRangeNs, filter: RowFilter<Span>, signal: AbortSignal) {
    return this.#store.rows({ tenant, range, filter, newestFirst: true, limit: Number.MAX_SAFE_INTEGER }, signal);
  }

  /**
   * Distinct combinations of fields. Rows that are in memory, too, do no harm; without mention of them the cluster can keep
   * the answers of indexes that do not change.
   */
  async *#names(tenant: TenantId, filter: readonly object[], fields: readonly string[], signal: AbortSignal) {
    const query = { bool: { filter: [{ term: { tenant } }, ...filter] } };
    const sources = fields.map((field) => ({ [field]: { terms: { field } } }));
    let after: object | undefined;
    do {
      const composite = { size: NAMES_PER_PAGE, sources, ...(after && { after }) };
      const { body } = await this.#store.connection.send<NamesAnswer>(
        "list names",
        {
          method: "POST",
          path: `/${this.#store.names.all}/_search`,
          query: SEARCH_OPTIONS,
          body: { size: 0, query, aggs: { names: { composite } } },
        },
        signal,
      );
      const names = body.aggregations?.names;
      yield (names?.buckets ?? []).map(({ key }) => key);
      after = names?.after_key;
    } while (after);
  }
}

function serviceOf({ resource }: SpanSource): string {
  return attributeValue(resource, "service.name");
}

function addOperations(
  { batch, rows }: HotBatch<SpanBatch>,
  service: string,
  add: (name: string, kind: number) => void,
): void {
  const wanted = batch.sources.map((source) => serviceOf(source) === service);
  for (const row of rows) {
    if (wanted[batch.sourceRefs[row] as number]) add(batch.names[row] as string, batch.kinds[row] as number);
  }
}

import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type {
  LogCountGroup,
  LogCountRequest,
  LogRequest,
  LogSelection,
  LogStore,
  StreamRequest,
} from "@sightline/model/log-store.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Dependency } from "@sightline/model/ports.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { type OpenSearchStoreOptions, RowsStore } from "../rows/rows-store.ts";
import { rowQuery, SEARCH_OPTIONS } from "../rows/search-rows.ts";
import { LogCodec, type LogRecord, STREAM_SOURCE, type StreamSource } from "./log-codec.ts";
import { LogCountQuery } from "./log-count-query.ts";
import { logFilter, streamTest } from "./log-filter.ts";
import { StreamCatalog } from "./stream-catalog.ts";

type StreamAnswer = {
  readonly aggregations?: {
    readonly streams: {
      readonly after_key?: object;
      readonly buckets: readonly {
        readonly one: {
          readonly hits: { readonly hits: readonly [{ readonly _source: StreamSource }] };
        };
      }[];
    };
  };
};

const STREAMS_PER_PAGE = 500;

/**
 * Log records in memory until OpenSearch has them, and there. What OpenSearch can't say exactly (regular expressions, parts
 * of words) it only narrows; every record that it gives is tested here, so that line filters and limit are always applied.
 */
export class OpenSearchLogStore implements LogStore {
  readonly name = "OpenSearch log store";
  readonly #codec: LogCodec;
  readonly #store: RowsStore<LogBatch, LogRecord>;
  readonly #streams: StreamCatalog;

  constructor(options: OpenSearchStoreOptions) {
    this.#codec = new LogCodec(options.config);
    this.#store = new RowsStore(options, this.#codec);
    const { connection, names } = this.#store;
    this.#streams = new StreamCatalog(connection, names.all, this.#codec);
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

  append(tenant: TenantId, batch: LogBatch, position: number): Promise<AppendResult> {
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

  select(request: LogRequest, signal: AbortSignal): LogSelection {
    const { tenant, range, newestFirst } = request;
    const limit = Math.max(0, Math.ceil(request.limit));
    const filter = logFilter(request);
    const rows = this.#store.rows({ tenant, range, filter, newestFirst, limit }, signal);
    const codec = this.#codec;
    async function* batches(): AsyncGenerator<LogBatch> {
      for await (const records of rows) yield codec.batchOf(records);
    }
    return { exact: true, batches: batches() };
  }

  async streams({ tenant, range, matchers }: StreamRequest, signal: AbortSignal): Promise<readonly LogStream[]> {
    signal.throwIfAborted();
    const found = new Map<string, LogStream>();
    const matches = streamTest(matchers);
    const { hot, visibility } = this.#store.snapshot(tenant);
    for (const { batch, rows } of hot) {
      const refs = new Set<number>();
      for (const row of rows) {
        const time = batch.timesNs[row] as bigint;
        if (time >= range.startNs && time < range.endNs) refs.add(batch.streamRefs[row] as number);
      }
      for (const ref of refs) {
        const stream = batch.streams[ref] as LogStream;
        if (matches(stream)) found.set(this.#codec.keyOf(stream), stream);
      }
    }
    const { must, mustNot } = logFilter({ matchers, line: [] });
    const query = rowQuery({ tenant, range, visibility, must, mustNot });
    for await (const sources of this.#streamSources(query, signal)) {
      for (const source of sources) {
        const stream = this.#codec.streamOfSource(source);
        const text = this.#codec.keyOf(stream);
        if (!found.has(text) && matches(stream)) found.set(text, stream);
      }
    }
    return [...found.values()];
  }

  async counts(request: LogCountRequest, signal: AbortSignal): Promise<readonly LogCountGroup[] | undefined> {
    signal.throwIfAborted();
    const { connection, names } = this.#store;
    const snapshot = this.#store.snapshot(request.tenant);
    const options = { connection, index: names.all, codec: this.#codec, streams: this.#streams, snapshot };
    return new LogCountQuery(options, request, signal).run();
  }

  deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion> {
    return this.#store.deleteRows(request, logFilter(request), signal);
  }

  deletions(tenant: TenantId): Promise<readonly Deletion[]> {
    return this.#store.deletions(tenant);
  }

  cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    return this.#store.cancelDeletion(tenant, id);
  }

  async *#streamSources(query: object, signal: AbortSignal): AsyncGenerator<readonly StreamSource[]> {
    const one = { top_hits: { size: 1, _source: STREAM_SOURCE } };
    let after: object | undefined;
    do {
      const composite = {
        size: STREAMS_PER_PAGE,
        sources: [{ id: { terms: { field: "stream_id" } } }],
        ...(after && { after }),
      };
      const { body } = await this.#store.connection.send<StreamAnswer>(
        "list streams",
        {
          method: "POST",
          path: `/${this.#store.names.all}/_search`,
          query: SEARCH_OPTIONS,
          body: { size: 0, query, aggs: { streams: { composite, aggs: { one } } } },
        },
        signal,
      );
      const streams = body.aggregations?.streams;
      yield (streams?.buckets ?? []).map(({ one }) => one.hits.hits[0]._source);
      after = streams?.after_key;
    } while (after);
  }
}

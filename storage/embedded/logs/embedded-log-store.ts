import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type {
  LogCountGroup,
  LogCountRequest,
  LogRequest,
  LogSelection,
  LogStore,
  StreamRequest,
} from "@sightline/model/log-store.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { AppendResult, Copyable } from "@sightline/model/ports.ts";
import type { Deletion, RowDeletion } from "@sightline/model/row-deletion.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import type { EmbeddedLogsConfig } from "../config.ts";
import { SegmentedStore } from "../segments/segmented-store.ts";
import { findLogRows } from "./find-log-rows.ts";
import { FoundRows } from "./found-rows.ts";
import { LogCountQuery } from "./log-count-query.ts";
import { LogLineQuery } from "./log-line-query.ts";
import { LogSegmentCodec } from "./log-segment-codec.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { LogStreamQuery } from "./log-stream-query.ts";
import { SegmentTimes } from "./segment-times.ts";

export type EmbeddedLogStoreOptions = {
  /** Belongs to this store alone. */
  readonly dir: string;
  readonly config: EmbeddedLogsConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly nowMs?: (() => number) | undefined;
};

/** Log records in memory and in Parquet segments, queried through DuckDB. Line filters and limit are always applied. */
export class EmbeddedLogStore implements LogStore, Copyable {
  readonly name = "embedded log store";
  readonly appliesFields = true;
  readonly #store: SegmentedStore<LogBatch, LogSegmentIndex>;

  readonly #found: FoundRows;
  readonly #times: SegmentTimes;

  constructor(options: EmbeddedLogStoreOptions) {
    this.#found = new FoundRows(options.config.found_rows);
    this.#store = new SegmentedStore({
      ...options,
      codec: new LogSegmentCodec(options.config.max_attribute_columns),
      onCopied: (segment, rows) => this.#times.read(segment, rows),
    });
    this.#times = new SegmentTimes(this.#store, options.config.stream_times);
  }

  get memoryParts(): readonly MemoryPart[] {
    const found: MemoryPart = {
      name: "logs_found_rows",
      memoryBytes: () => this.#found.bytes,
      shrink: () => this.#found.shrink(),
    };
    const times: MemoryPart = {
      name: "logs_stream_times",
      memoryBytes: () => this.#times.bytes,
      shrink: () => this.#times.shrink(),
    };
    return [...this.#store.memoryParts, found, times];
  }

  start(): Promise<void> {
    return this.#store.start();
  }

  async stop(): Promise<void> {
    await this.#times.stop();
    await this.#store.stop();
  }

  append(tenant: TenantId, batch: LogBatch, position: number): Promise<AppendResult> {
    return this.#store.append(tenant, batch, position);
  }

  firstUnflushedPosition(): number | undefined {
    return this.#store.firstUnflushedPosition();
  }

  fullness(): string | undefined {
    return this.#store.fullness();
  }

  flush(): Promise<void> {
    return this.#store.flush();
  }

  copyTo(dir: string): Promise<void> {
    return this.#store.copyTo(dir);
  }

  deleteRows(request: RowDeletion, signal: AbortSignal): Promise<Deletion> {
    return this.#store.deleteRows(request, findLogRows(this.#store, request, signal));
  }

  async deletions(tenant: TenantId): Promise<readonly Deletion[]> {
    return this.#store.deletions(tenant);
  }

  cancelDeletion(tenant: TenantId, id: string): Promise<boolean> {
    return this.#store.cancelDeletion(tenant, id);
  }

  /** Drops expired segments, removes deleted rows and merges small segments now; it happens by itself once a minute. */
  maintain(): Promise<void> {
    return this.#store.maintain();
  }

  /** Keeps rows in memory now, as many as have room; that happens by itself in quiet moments. */
  fillRowCache(): Promise<void> {
    return this.#store.fillRowCache();
  }

  select(request: LogRequest, signal: AbortSignal): LogSelection {
    const kept = { found: this.#found, times: this.#times };
    return { exact: true, batches: new LogLineQuery(this.#store, kept, request, signal).run() };
  }

  async streams(request: StreamRequest, signal: AbortSignal): Promise<readonly LogStream[]> {
    return new LogStreamQuery(this.#store, this.#times, request, signal).run();
  }

  async counts(request: LogCountRequest, signal: AbortSignal): Promise<readonly LogCountGroup[] | undefined> {
    return new LogCountQuery(this.#store, this.#times, request, signal).run();
  }
}

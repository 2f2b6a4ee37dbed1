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
import type { RowDeletion } from "@sightline/model/row-deletion.ts";
import type { EmbeddedLogsConfig } from "../config.ts";
import type { FindRows } from "../segments/row-deleter.ts";
import type { Segment } from "../segments/segment-directory.ts";
import type { SegmentRows } from "../segments/segment-rows.ts";
import { SegmentedStore, type SegmentedStoreOptions } from "../segments/segmented-store.ts";
import { findLogRows } from "./find-log-rows.ts";
import { FoundRows } from "./found-rows.ts";
import { LogCountQuery } from "./log-count-query.ts";
import { LogLineQuery } from "./log-line-query.ts";
import { LogSegmentCodec } from "./log-segment-codec.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { LogStreamQuery } from "./log-stream-query.ts";
import { SegmentTimes } from "./segment-times.ts";

export type EmbeddedLogStoreOptions = SegmentedStoreOptions & { readonly config: EmbeddedLogsConfig };

/** Log records in memory and in Parquet segments, queried through DuckDB. Line filters and limit are always applied. */
export class EmbeddedLogStore extends SegmentedStore<LogBatch, LogSegmentIndex> implements LogStore {
  readonly name = "embedded log store";
  readonly appliesFields = true;
  readonly #found: FoundRows;
  readonly #times: SegmentTimes;

  constructor(options: EmbeddedLogStoreOptions) {
    const { config } = options;
    super(options, new LogSegmentCodec(config.max_attribute_columns));
    this.#found = new FoundRows(config.found_rows);
    this.#times = new SegmentTimes(this.reader, config.stream_times);
  }

  override get memoryParts(): readonly MemoryPart[] {
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
    return [...super.memoryParts, found, times];
  }

  override async stop(): Promise<void> {
    await this.#times.stop();
    await super.stop();
  }

  protected override findRows(request: RowDeletion, signal: AbortSignal): FindRows {
    return findLogRows(this.reader, request, signal);
  }

  protected override rowsCopied(segment: Segment, rows: SegmentRows): Promise<void> {
    return this.#times.read(segment, rows);
  }

  select(request: LogRequest, signal: AbortSignal): LogSelection {
    const kept = { found: this.#found, times: this.#times };
    return { exact: true, batches: new LogLineQuery(this.reader, kept, request, signal).run() };
  }

  async streams(request: StreamRequest, signal: AbortSignal): Promise<readonly LogStream[]> {
    return new LogStreamQuery(this.reader, this.#times, request, signal).run();
  }

  async counts(request: LogCountRequest, signal: AbortSignal): Promise<readonly LogCountGroup[] | undefined> {
    return new LogCountQuery(this.reader, this.#times, request, signal).run();
  }
}

import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type {
  AppendResult,
  Copyable,
  Deletion,
  LogRequest,
  LogSelection,
  LogStore,
  RowDeletion,
  StreamRequest,
  TimeRangeNs,
} from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import type { EmbeddedLogsConfig } from "../config.ts";
import { Breather } from "../segments/breather.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { SegmentedStore } from "../segments/segmented-store.ts";
import { findLogRows } from "./find-log-rows.ts";
import { hotLogSource } from "./hot-log-source.ts";
import { compileLineFilters, type LineCondition, lineCondition } from "./line-matcher.ts";
import { StreamInterner } from "./log-batch-builder.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import { LogSegmentCodec } from "./log-segment-codec.ts";
import type { IndexedStream, LogSegmentIndex } from "./log-segment-index.ts";
import type { LogSource } from "./log-source.ts";
import { mergeLogSources } from "./merge-log-sources.ts";
import {
  logBatchOfChunk,
  type SegmentLogQuery,
  sqlOfLastTimeQuery,
  sqlOfLogQuery,
  sqlOfStreamQuery,
} from "./segment-log-source.ts";

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
  readonly #store: SegmentedStore<LogBatch, LogSegmentIndex>;

  constructor(options: EmbeddedLogStoreOptions) {
    this.#store = new SegmentedStore({ ...options, codec: new LogSegmentCodec(options.config.max_attribute_columns) });
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

  select(request: LogRequest, signal: AbortSignal): LogSelection {
    const query = new LogQuery(this.#store, request, signal);
    return { exact: true, batches: query.run() };
  }

  async streams(request: StreamRequest, signal: AbortSignal): Promise<readonly LogStream[]> {
    const query = new LogQuery(this.#store, { ...request, line: [], newestFirst: false, limit: 0 }, signal);
    return query.streams();
  }
}

/** One query on one snapshot. */
class LogQuery {
  readonly #store: SegmentedStore<LogBatch, LogSegmentIndex>;
  readonly #request: LogRequest;
  readonly #signal: AbortSignal;
  readonly #breather = new Breather();
  readonly #matchesStream: (stream: LogStream) => boolean;
  readonly #matchesLine: ((body: string) => boolean) | undefined;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(store: SegmentedStore<LogBatch, LogSegmentIndex>, request: LogRequest, signal: AbortSignal) {
    this.#store = store;
    this.#request = request;
    this.#signal = signal;
    const matches = compileMatchers(request.matchers);
    const known = new WeakMap<LogStream, boolean>();
    this.#matchesStream = (stream) => {
      const verdict = known.get(stream) ?? matches(stream.labels);
      known.set(stream, verdict);
      return verdict;
    };
    this.#matchesLine = compileLineFilters(request.line);
  }

  async *run(): AsyncGenerator<LogBatch> {
    this.#signal.throwIfAborted();
    const { tenant, range, newestFirst, limit } = this.#request;
    const snapshot = this.#store.snapshot(tenant);
    try {
      const { lines, complete } = await this.#pushedDown();
      const hotQuery = {
        range,
        matchesStream: this.#matchesStream,
        matchesLine: this.#matchesLine,
        newestFirst,
        limit,
        signal: this.#signal,
        breather: this.#breather,
      };
      const sources = [
        ...snapshot.hot.filter((hot) => overlaps(hot, range)).map((hot) => hotLogSource(hot, hotQuery)),
        ...snapshot.segments
          .filter(({ info }) => overlaps(info, range))
          .map((segment) => this.#segmentSource(segment, lines, complete)),
      ];
      for await (const batch of mergeLogSources(sources, newestFirst, limit)) {
        this.#signal.throwIfAborted();
        yield batch;
      }
    } finally {
      snapshot.release();
    }
  }

  async streams(): Promise<readonly LogStream[]> {
    this.#signal.throwIfAborted();
    const { tenant, range } = this.#request;
    const interner = new StreamInterner();
    const found = new Set<LogStream>();
    const snapshot = this.#store.snapshot(tenant);
    try {
      for (const { batch } of snapshot.hot.filter((hot) => overlaps(hot, range))) {
        for (const stream of await this.#streamsOfBatch(batch)) found.add(interner.intern(stream));
      }
      for (const segment of snapshot.segments.filter(({ info }) => overlaps(info, range))) {
        for (const stream of await this.#streamsOfSegment(segment)) found.add(interner.intern(stream));
      }
    } finally {
      snapshot.release();
    }
    return [...found];
  }

  /** The line filters that DuckDB can take. Its RE2 has limits of its own (on the size of a program) that ours lacks. */
  async #pushedDown(): Promise<{ readonly lines: readonly LineCondition[]; readonly complete: boolean }> {
    const conditions = this.#request.line.map(lineCondition);
    const lines: LineCondition[] = [];
    for (const condition of conditions) {
      if (condition.kind === "contains" || (await this.#understandsRegex(condition.text))) lines.push(condition);
    }
    return { lines, complete: lines.length === conditions.length };
  }

  async #understandsRegex(pattern: string): Promise<boolean> {
    const probe = this.#store.database.stream("SELECT regexp_matches('', $1)", [pattern.toWellFormed()], this.#signal);
    try {
      for await (const _ of probe);
      return true;
    } catch {
      this.#signal.throwIfAborted();
      return false;
    }
  }

  #segmentSource(segment: Segment, lines: readonly LineCondition[], complete: boolean): LogSource {
    const { range, newestFirst } = this.#request;
    return {
      firstNs: firstTimeNs(segment.info, range, newestFirst),
      open: () => this.#readSegment(segment, lines, complete),
    };
  }

  async *#readSegment(segment: Segment, lines: readonly LineCondition[], complete: boolean): AsyncGenerator<LogBatch> {
    const { range, newestFirst, limit } = this.#request;
    const index = await this.#store.withIndex(segment, (known) => known);
    if (!index) return;
    const isKept = this.#keeps(segment);
    const streams = await this.#matchingStreams(index, (stream) => overlaps(stream, range) && isKept(stream));
    if (streams.length === 0) return;
    const query = {
      segment,
      index,
      streams,
      range,
      lines,
      newestFirst,
      limit: complete && limit < segment.info.rows ? Math.max(0, Math.ceil(limit)) : undefined,
    };
    const { sql, values } = sqlOfLogQuery({ ...query, range: await this.#narrowed(query) });
    const allStreams = index.streams.map(({ stream }) => stream);
    for await (const chunk of this.#store.database.stream(sql, values, this.#signal)) {
      const batch = logBatchOfChunk(chunk, index, allStreams);
      const matching = complete ? batch : this.#recheck(batch);
      if (matching.length > 0) yield matching;
      if (this.#breather.due) await this.#breather.pause();
    }
  }

  /**
   * The part of the range that the first `limit` rows are in, found by their times alone: with it DuckDB reads the
   * other columns only of row groups that have such rows, which halves the time of a query for the newest lines.
   */
  async #narrowed(query: SegmentLogQuery): Promise<TimeRangeNs> {
    const { limit, lines, range, newestFirst } = query;
    if (limit === undefined || lines.length > 0) return range;
    for await (const chunk of this.#store.database.stream(sqlOfLastTimeQuery(query), [], this.#signal)) {
      const [lastNs] = chunk.getColumnValues(0) as (bigint | null)[];
      if (typeof lastNs !== "bigint") return range;
      return newestFirst ? { ...range, startNs: lastNs } : { ...range, endNs: lastNs + 1n };
    }
    return range;
  }

  #recheck(batch: LogBatch): LogBatch {
    const rows: number[] = [];
    for (const [row, body] of batch.bodies.entries()) if (this.#matchesLine?.(body) !== false) rows.push(row);
    return pickLogRows(batch, Uint32Array.from(rows));
  }

  /** Numbers of the streams that the request's matchers and `also` let through. */
  async #matchingStreams(index: LogSegmentIndex, also: (stream: IndexedStream) => boolean): Promise<number[]> {
    const numbers: number[] = [];
    for (const [number, indexed] of index.streams.entries()) {
      if (also(indexed) && this.#matchesStream(indexed.stream)) numbers.push(number);
      if (this.#breather.due) await this.#pause();
    }
    return numbers;
  }

  async #streamsOfBatch(batch: LogBatch): Promise<LogStream[]> {
    const { startNs, endNs } = this.#request.range;
    const wanted = batch.streams.map(this.#matchesStream);
    const found = new Set<number>();
    for (let row = 0; row < batch.length; row++) {
      const ref = batch.streamRefs[row] as number;
      const time = batch.timesNs[row] as bigint;
      if (wanted[ref] && time >= startNs && time < endNs) found.add(ref);
    }
    if (this.#breather.due) await this.#pause();
    return [...found].map((ref) => batch.streams[ref] as LogStream);
  }

  async #streamsOfSegment(segment: Segment): Promise<readonly LogStream[]> {
    const { range } = this.#request;
    const index = await this.#store.withIndex(segment, (known) => known);
    if (!index) return [];
    const isKept = this.#keeps(segment);
    const isInside = (timeNs: bigint) => timeNs >= range.startNs && timeNs < range.endNs;
    // The index counts deleted rows, too: then only the rows can tell.
    const sure = (stream: IndexedStream) =>
      segment.deleted.length === 0 && (isInside(stream.minNs) || isInside(stream.maxNs));
    const numbers = await this.#matchingStreams(index, (stream) => sure(stream) && isKept(stream));
    // Streams that begin before the range and end after it: only their rows can tell.
    const unsure = await this.#matchingStreams(
      index,
      (stream) => overlaps(stream, range) && !sure(stream) && isKept(stream),
    );
    if (unsure.length > 0) {
      const sql = sqlOfStreamQuery({ segment, index, streams: unsure, range });
      for await (const chunk of this.#store.database.stream(sql, [], this.#signal)) {
        numbers.push(...(chunk.getColumnValues(0) as number[]));
      }
    }
    return numbers.map((number) => (index.streams[number] as IndexedStream).stream);
  }

  /** Tells streams of which records are kept; the files may still have others. */
  #keeps(segment: Segment): (stream: IndexedStream) => boolean {
    const isExpired = this.#store.retention.expiry(segment);
    return ({ stream, maxNs }) => !isExpired({ labels: stream.labels, maxNs });
  }

  async #pause(): Promise<void> {
    await this.#breather.pause();
    this.#signal.throwIfAborted();
  }
}

function overlaps(extent: { readonly minNs: bigint; readonly maxNs: bigint }, range: TimeRangeNs): boolean {
  return extent.maxNs >= range.startNs && extent.minNs < range.endNs;
}

/** Of the rows with times in both, the bound of the first in the order asked for. */
function firstTimeNs(
  { minNs, maxNs }: { readonly minNs: bigint; readonly maxNs: bigint },
  { startNs, endNs }: TimeRangeNs,
  newestFirst: boolean,
): bigint {
  if (newestFirst) return maxNs < endNs ? maxNs : endNs - 1n;
  return minNs < startNs ? startNs : minNs;
}

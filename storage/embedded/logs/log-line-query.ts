import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogRequest, TimeRangeNs } from "@sightline/model/ports.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { hotLogSource } from "./hot-log-source.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import { LogScope, type LogSegmentStore, type PushedDown, type SegmentScope } from "./log-scope.ts";
import type { LogSource } from "./log-source.ts";
import { mergeLogSources } from "./merge-log-sources.ts";
import { logBatchOfChunk, type SegmentLogQuery, sqlOfLastTimeQuery, sqlOfLogQuery } from "./segment-log-source.ts";

/** Selects records on one snapshot. */
export class LogLineQuery {
  readonly #scope: LogScope;
  readonly #request: LogRequest;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(store: LogSegmentStore, request: LogRequest, signal: AbortSignal) {
    this.#scope = new LogScope(store, request, signal);
    this.#request = request;
  }

  async *run(): AsyncGenerator<LogBatch> {
    const { store, signal } = this.#scope;
    signal.throwIfAborted();
    const { newestFirst, limit } = this.#request;
    const snapshot = store.snapshot(this.#request.tenant);
    try {
      const pushed = await this.#scope.pushedDown();
      const hotQuery = { scope: this.#scope, newestFirst, limit };
      const sources = [
        ...snapshot.hot.filter((hot) => this.#scope.overlaps(hot)).map((hot) => hotLogSource(hot, hotQuery)),
        ...snapshot.segments
          .filter(({ info }) => this.#scope.overlaps(info))
          .map((segment) => this.#segmentSource(segment, pushed)),
      ];
      for await (const batch of mergeLogSources(sources, newestFirst, limit)) {
        signal.throwIfAborted();
        yield batch;
      }
    } finally {
      snapshot.release();
    }
  }

  #segmentSource(segment: Segment, pushed: PushedDown): LogSource {
    const { range, newestFirst } = this.#request;
    const source = {
      firstNs: firstTimeNs(segment.info, range, newestFirst),
      isSure: true,
      open: () => this.#readSegment(segment, pushed, source),
    };
    return source;
  }

  async *#readSegment(segment: Segment, pushed: PushedDown, source: { isSure: boolean }): AsyncGenerator<LogBatch> {
    const scope = await this.#scope.ofSegment(segment, pushed);
    if (!scope) return;
    source.isSure = scope.isSure;
    try {
      yield* this.#readScope(segment, pushed, scope);
    } finally {
      scope.release();
    }
  }

  async *#readScope(segment: Segment, pushed: PushedDown, scope: SegmentScope): AsyncGenerator<LogBatch> {
    const { newestFirst, limit } = this.#request;
    const isComplete = pushed.areLinesComplete && scope.isSure;
    const query = {
      ...scope,
      newestFirst,
      limit: isComplete && limit < segment.info.rows ? Math.max(0, Math.ceil(limit)) : undefined,
    };
    const { store, signal, breather } = this.#scope;
    const { sql, values } = sqlOfLogQuery({ ...query, range: await this.#narrowed(query) });
    const allStreams = scope.index.streams.map(({ stream }) => stream);
    for await (const chunk of store.database.stream(sql, values, signal)) {
      const batch = logBatchOfChunk(chunk, scope.index, allStreams);
      const matching = pushed.areLinesComplete ? batch : this.#recheck(batch);
      if (matching.length > 0) yield matching;
      if (breather.due) await breather.pause();
    }
  }

  /**
   * The part of the range that the first `limit` rows are in, found by their times alone: with it DuckDB reads the
   * other columns only of row groups that have such rows, which halves the time of a query for the newest lines.
   */
  async #narrowed(query: SegmentScope & Pick<SegmentLogQuery, "newestFirst" | "limit">): Promise<TimeRangeNs> {
    const { limit, lines, conditions, range, newestFirst } = query;
    if (limit === undefined || lines.length > 0 || conditions.length > 0) return range;
    const { store, signal } = this.#scope;
    for await (const chunk of store.database.stream(sqlOfLastTimeQuery(query), [], signal)) {
      const [lastNs] = chunk.getColumnValues(0) as (bigint | null)[];
      if (typeof lastNs !== "bigint") return range;
      return newestFirst ? { ...range, startNs: lastNs } : { ...range, endNs: lastNs + 1n };
    }
    return range;
  }

  #recheck(batch: LogBatch): LogBatch {
    const rows: number[] = [];
    for (const [row, body] of batch.bodies.entries()) if (this.#scope.matchesLine?.(body) !== false) rows.push(row);
    return pickLogRows(batch, Uint32Array.from(rows));
  }
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

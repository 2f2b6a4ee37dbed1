import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogRequest } from "@sightline/model/log-store.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { RowSpan } from "../segments/block-grams.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { segmentRows } from "../segments/segment-rows.ts";
import { FirstTimes } from "./first-times.ts";
import type { FoundRows, WantedRows } from "./found-rows.ts";
import { hotLogSource } from "./hot-log-source.ts";
import { LogBatchBuilder, StreamInterner } from "./log-batch-builder.ts";
import { pickLogRows } from "./log-batch-rows.ts";
import { type Extent, type LogReader, LogScope, type PushedDown, type SegmentScope } from "./log-scope.ts";
import type { LogSource } from "./log-source.ts";
import { mergeLogSources } from "./merge-log-sources.ts";
import { logBatchOfChunk } from "./segment-log-batch.ts";
import { rowCondition, type SegmentLogQuery, sqlOfLastTimeQuery, sqlOfLogQuery } from "./segment-log-source.ts";
import type { SegmentTimes } from "./segment-times.ts";
import { TimeParts } from "./time-parts.ts";

/** Segments and limits as large as this are read ahead of need: more is worth to be sure first. */
const MAX_ROWS_AHEAD = 2 ** 18;
const MAX_LIMIT_AHEAD = 5_000;
/** What was found for a larger limit is not kept. */
const MAX_KEPT_LIMIT = 5_000;
/** Hints let some rows through that are not wanted. */
const LIKELY_SLACK = 1.25;
/** To look up what is the first of more streams takes as long as to ask DuckDB. */
const MAX_STREAMS_LOOKED_UP = 500;
/** Fewer are read at once. */
const MIN_ROWS_SAMPLED = 2 ** 17;
const SAMPLES = 8;
/** DuckDB reads so many at a time. */
const SAMPLE_ROWS = 2_048;
const ALWAYS: TimeRangeNs = { startNs: -(2n ** 63n), endNs: 2n ** 63n };

/** Selects records on one snapshot. */
export class LogLineQuery {
  readonly #scope: LogScope;
  readonly #request: LogRequest;
  readonly #firstTimes: FirstTimes;
  readonly #found: FoundRows;
  readonly #times: SegmentTimes;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(
    reader: LogReader,
    { found, times }: { readonly found: FoundRows; readonly times: SegmentTimes },
    request: LogRequest,
    signal: AbortSignal,
  ) {
    this.#times = times;
    this.#scope = new LogScope(reader, request, signal);
    this.#found = found;
    this.#request = request;
    this.#firstTimes = new FirstTimes(request.limit, request.newestFirst);
  }

  async *run(): AsyncGenerator<LogBatch> {
    const { reader, signal } = this.#scope;
    signal.throwIfAborted();
    const { newestFirst, limit } = this.#request;
    const snapshot = reader.snapshot(this.#request.tenant);
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
    const { range, newestFirst, limit } = this.#request;
    const isLimited = limit <= MAX_LIMIT_AHEAD && pushed.areLinesComplete && pushed.fields.length === 0;
    const source = {
      ...timesOf(segment.info, range, newestFirst),
      mayOpenAhead: isLimited && segment.info.rows <= MAX_ROWS_AHEAD,
      isSure: true,
      narrow: async () => {
        const extent = await this.#scope.extentOf(segment, pushed);
        return extent && timesOf(extent, range, newestFirst).firstNs;
      },
      open: (enough: AbortSignal) => this.#readSegment(segment, pushed, source, enough),
    };
    return source;
  }

  async *#readSegment(
    segment: Segment,
    pushed: PushedDown,
    source: { isSure: boolean },
    enough: AbortSignal,
  ): AsyncGenerator<LogBatch> {
    const scope = await this.#scope.ofSegment(segment, pushed);
    if (!scope) return;
    source.isSure = scope.isSure;
    try {
      yield* this.#readScope(segment, pushed, scope, AbortSignal.any([this.#scope.signal, enough]));
    } finally {
      scope.release();
    }
  }

  async *#readScope(
    segment: Segment,
    pushed: PushedDown,
    scope: SegmentScope,
    signal: AbortSignal,
  ): AsyncGenerator<LogBatch> {
    const isComplete = pushed.areLinesComplete && scope.isSure;
    const { breather } = this.#scope;
    const { limit } = this.#request;
    if (isComplete && limit >= 1 && limit <= MAX_KEPT_LIMIT) {
      const found = await this.#find(segment, scope, limit, signal);
      this.#firstTimes.add(found.timesNs);
      if (found.length > 0) yield found;
      return;
    }
    let range: TimeRangeNs | undefined = this.#neededRange();
    if (isComplete && scope.hints.length > 0) {
      const likely = await this.#findLikely(segment, scope, signal);
      if (likely && likely.rows.length > 0) yield likely.rows;
      if (likely) range = likely.rest;
    }
    if (!range) return;
    for await (const batch of this.#query(segment, { ...scope, range }, isComplete ? limit : undefined, signal)) {
      if (isComplete) this.#firstTimes.add(batch.timesNs);
      const matching = pushed.areLinesComplete ? batch : this.#recheck(batch);
      if (matching.length > 0) yield matching;
      if (breather.due) await breather.pause();
    }
  }

  /** The first rows, which are likely to be enough, and the range of the others; undefined where nobody knows how many that are. */
  async #findLikely(
    segment: Segment,
    scope: SegmentScope,
    signal: AbortSignal,
  ): Promise<{ readonly rows: LogBatch; readonly rest: TimeRangeNs | undefined } | undefined> {
    const { range, newestFirst, likelyRows = 0 } = this.#request;
    const limit = Math.ceil(likelyRows * LIKELY_SLACK);
    if (limit < 1 || limit > MAX_KEPT_LIMIT) return undefined;
    const rows = await this.#find(segment, scope, limit, signal);
    const lastNs = rows.timesNs.at(-1);
    if (rows.length < limit || lastNs === undefined) return { rows, rest: undefined };
    // Of the last time there may be more.
    const before = rows.timesNs.indexOf(lastNs);
    const rest = newestFirst ? { ...range, endNs: lastNs + 1n } : { ...range, startNs: lastNs };
    return {
      rows: pickLogRows(
        rows,
        Uint32Array.from({ length: before }, (_, row) => row),
      ),
      rest,
    };
  }

  /** The first `limit` rows, of which none need be left out. */
  async #find(segment: Segment, scope: SegmentScope, limit: number, signal: AbortSignal): Promise<LogBatch> {
    const { newestFirst } = this.#request;
    const { breather } = this.#scope;
    const { condition, values } = rowCondition({ ...scope, range: ALWAYS });
    const key = JSON.stringify([segment.info.id, scope.segment.deletedPaths, condition, values]);
    const wanted: WantedRows = { range: openEnded(this.#neededRange(), segment.info), newestFirst, limit };
    const known = this.#found.get(key, wanted);
    if (known) return known;
    const found = new LogBatchBuilder(new StreamInterner());
    for await (const batch of this.#query(segment, { ...scope, range: wanted.range }, limit, signal)) {
      found.add(batch, 0, batch.length);
      if (breather.due) await breather.pause();
    }
    const batch = found.take();
    this.#found.set(key, wanted, batch);
    return batch;
  }

  /** The rows of the scope's range, the first `limit` of them where it is given. */
  async *#query(
    segment: Segment,
    scope: SegmentScope,
    limit: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<LogBatch> {
    const { newestFirst } = this.#request;
    const wanted = limit !== undefined && limit < segment.info.rows ? Math.max(0, Math.ceil(limit)) : undefined;
    const query = { ...scope, newestFirst, limit: wanted };
    if (wanted === undefined) yield* this.#rows(query, signal);
    else if (scope.lines.length + scope.conditions.length + scope.hints.length === 0) {
      yield* this.#rows({ ...query, range: await this.#narrowed(segment, query, signal) }, signal);
    } else yield* this.#firstRows(segment, { ...query, limit: wanted }, signal);
  }

  async *#rows(query: SegmentScope & Pick<SegmentLogQuery, "newestFirst" | "limit">, signal: AbortSignal) {
    const { sql, values } = sqlOfLogQuery(query);
    const allStreams = query.index.streams.map(({ stream }) => stream);
    for await (const chunk of this.#scope.reader.database.stream(sql, values, signal)) {
      yield logBatchOfChunk(chunk, query.index, allStreams, this.#request.deferred === true);
    }
  }

  /** Where a sample tells that a part of many rows has enough of them, others need not be looked at. */
  async *#firstRows(
    segment: Segment,
    query: SegmentScope & Pick<SegmentLogQuery, "newestFirst"> & { readonly limit: number },
    signal: AbortSignal,
  ): AsyncGenerator<LogBatch> {
    const expected = await this.#expectedRows(segment, query, signal);
    const parts = new TimeParts(query.range, segment.info, query.newestFirst, expected);
    let left = query.limit;
    for (let range = parts.next(0, left); range && left > 0; range = parts.next(query.limit - left, left)) {
      for await (const batch of this.#rows({ ...query, range, limit: left }, signal)) {
        left -= batch.length;
        yield batch;
      }
    }
  }

  /** How many rows there may be; 0 where to find that out would take too long for what it saves. */
  async #expectedRows(segment: Segment, query: SegmentScope, signal: AbortSignal): Promise<number> {
    const rows = query.streams.reduce((sum, stream) => sum + (query.index.streams[stream]?.rows ?? 0), 0);
    // Texts that blocks have been left out by are rare; of files whole row groups would be read.
    const isUnknown = query.segment.spans === undefined && query.segment.table !== undefined;
    if (query.lines.length === 0 || !isUnknown || rows < MIN_ROWS_SAMPLED) return 0;
    const spans = sampleOf(segment.info.rows);
    const { condition, values } = rowCondition(query);
    const sql = `SELECT count(*)::DOUBLE FROM ${segmentRows({ ...query.segment, spans })} WHERE ${condition}`;
    let found = 0;
    for await (const chunk of this.#scope.reader.database.stream(sql, values, signal)) {
      found += chunk.getColumnValues(0)[0] as number;
    }
    return (found * segment.info.rows) / (spans.length * SAMPLE_ROWS);
  }

  /** What was found elsewhere leaves nothing to be looked for behind it. */
  #neededRange(): TimeRangeNs {
    const { range, newestFirst } = this.#request;
    const { lastNs } = this.#firstTimes;
    if (lastNs === undefined) return range;
    return newestFirst ? { ...range, startNs: lastNs } : { ...range, endNs: lastNs + 1n };
  }

  /**
   * The part of the range that the first `limit` rows are in, found by their times alone: with it DuckDB reads the
   * other columns only of row groups that have such rows, which halves the time of a query for the newest lines.
   */
  async #narrowed(
    segment: Segment,
    query: SegmentScope & Pick<SegmentLogQuery, "newestFirst" | "limit">,
    signal: AbortSignal,
  ): Promise<TimeRangeNs> {
    const { limit = 0, streams, range, newestFirst } = query;
    const times = streams.length <= MAX_STREAMS_LOOKED_UP ? this.#times.of(segment) : undefined;
    if (times) return times.narrowed(streams, range, limit, newestFirst);
    const { reader } = this.#scope;
    for await (const chunk of reader.database.stream(sqlOfLastTimeQuery(query), [], signal)) {
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

/** Spread over all rows, which are in the order of their streams. */
function sampleOf(rows: number): readonly RowSpan[] {
  return Array.from({ length: SAMPLES }, (_, i) => {
    const from = Math.floor(((i + 0.5) * rows) / SAMPLES / SAMPLE_ROWS) * SAMPLE_ROWS;
    return { from, to: from + SAMPLE_ROWS - 1 };
  });
}

/** Without bounds where there is nothing beyond them. */
function openEnded({ startNs, endNs }: TimeRangeNs, { minNs, maxNs }: Extent): TimeRangeNs {
  return {
    startNs: startNs <= minNs ? ALWAYS.startNs : startNs,
    endNs: endNs > maxNs ? ALWAYS.endNs : endNs,
  };
}

/** The part of the extent that is in the range, in the order asked for. */
function timesOf(
  { minNs, maxNs }: Extent,
  { startNs, endNs }: TimeRangeNs,
  newestFirst: boolean,
): { readonly firstNs: bigint; readonly lastNs: bigint } {
  const oldestNs = minNs < startNs ? startNs : minNs;
  const newestNs = maxNs < endNs ? maxNs : endNs - 1n;
  return newestFirst ? { firstNs: newestNs, lastNs: oldestNs } : { firstNs: oldestNs, lastNs: newestNs };
}

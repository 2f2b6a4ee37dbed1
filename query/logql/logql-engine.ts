import { InvalidInputError, LimitError } from "@sightline/model/errors.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogStore } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { LogQueryLimits } from "../config.ts";
import { Turn } from "../http/turn.ts";
import type { LogExpr, SampleExpr } from "./ast.ts";
import { compileLineFilters, lowerLineFilter } from "./line-filters.ts";
import { evaluateLiteral } from "./literal-arithmetic.ts";
import { parseLogql } from "./parse-logql.ts";
import type { LogEntry, LogqlResult, LogqlStats, LogqlValue } from "./result.ts";
import { StructuredMetadata } from "./structured-metadata.ts";

export type LogqlEngineOptions = {
  readonly store: Pick<LogStore, "select">;
  readonly limits: LogQueryLimits;
};

type LogOptions = {
  readonly tenant: TenantId;
  /** Most log lines of the answer; at most `query.logs.max_limit`. */
  readonly limit: number;
  readonly newestFirst: boolean;
  readonly signal: AbortSignal;
};
export type LogqlRangeQuery = LogOptions & {
  /** Included; `endNs` is not for lines, and is for samples. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  /** Between samples; positive. */
  readonly stepNs: bigint;
  /** Log lines closer to the one before than this are left out; 0 gives all. */
  readonly intervalNs: bigint;
};
export type LogqlInstantQuery = LogOptions & { readonly timeNs: bigint };

/** How many log records are looked at before others get a turn. */
const ROWS_PER_TURN = 1_000;
const NO_LABELS: readonly never[] = [];

/**
 * Evaluates LogQL as Loki does. Throws `ParseError` and `InvalidInputError` in Loki's words, `LimitError` naming the
 * setting, and the signal's reason once it aborts.
 */
export class LogqlEngine {
  readonly #options: LogqlEngineOptions;

  constructor(options: LogqlEngineOptions) {
    this.#options = options;
  }

  async range(text: string, query: LogqlRangeQuery): Promise<LogqlResult> {
    const startMs = performance.now();
    const expr = parseLogql(text, this.#options.limits.max_query_bytes);
    if (expr.kind !== "log") return finished(samplesOverRange(expr, query), NOTHING_READ, startMs);
    this.#checkLimit(query.limit);
    const scan = new LogScan(expr, query, this.#options);
    return finished({ type: "streams", entries: await scan.entries() }, scan, startMs);
  }

  async instant(text: string, query: LogqlInstantQuery): Promise<LogqlResult> {
    const startMs = performance.now();
    const expr = parseLogql(text, this.#options.limits.max_query_bytes);
    if (expr.kind === "log") {
      throw new InvalidInputError(
        "log queries are not supported as an instant query type, please change your query to a range query type",
      );
    }
    return finished(sampleAt(expr, query.timeNs), NOTHING_READ, startMs);
  }

  #checkLimit(limit: number): void {
    const { max_limit } = this.#options.limits;
    if (limit <= max_limit) return;
    throw new InvalidInputError(
      `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${max_limit}); here it is query.logs.max_limit`,
    );
  }
}

type Read = Omit<LogqlStats, "execMs">;
const NOTHING_READ: Read = { linesProcessed: 0, bytesProcessed: 0, linesMatched: 0 };

function finished(value: LogqlValue, read: Read, startMs: number): LogqlResult {
  const { linesProcessed, bytesProcessed, linesMatched } = read;
  return { value, stats: { linesProcessed, bytesProcessed, linesMatched, execMs: performance.now() - startMs } };
}

/** One log query: asks the store, re-checks what the store left to us, and takes lines until there are enough. */
class LogScan implements Read {
  linesProcessed = 0;
  bytesProcessed = 0;
  linesMatched = 0;
  readonly #expr: LogExpr;
  readonly #query: LogqlRangeQuery;
  readonly #options: LogqlEngineOptions;
  readonly #metadata = new StructuredMetadata();
  readonly #entries: LogEntry[] = [];
  #lastNs: bigint | undefined;

  constructor(expr: LogExpr, query: LogqlRangeQuery, options: LogqlEngineOptions) {
    this.#expr = expr;
    this.#query = query;
    this.#options = options;
  }

  async entries(): Promise<readonly LogEntry[]> {
    const { tenant, startNs, endNs, limit, newestFirst, intervalNs, signal } = this.#query;
    if (endNs <= startNs) return [];
    const line = this.#expr.stages.flatMap(lowerLineFilter);
    const matches = compileLineFilters(line);
    const selection = this.#options.store.select(
      {
        tenant,
        range: { startNs, endNs },
        matchers: this.#expr.matchers,
        line,
        newestFirst,
        // With an interval most lines are left out, nobody knows how many.
        limit: intervalNs > 0n ? Number.MAX_SAFE_INTEGER : limit,
      },
      signal,
    );
    const passes = selection.exact ? () => true : matches;
    const turn = new Turn();
    for await (const batch of selection.batches) {
      for (let from = 0; from < batch.length; from += ROWS_PER_TURN) {
        if (this.#take(batch, from, passes)) return this.#entries;
        signal.throwIfAborted();
        await turn.rest();
      }
    }
    return this.#entries;
  }

  /** True when there are enough. */
  #take(batch: LogBatch, from: number, passes: (line: string) => boolean): boolean {
    const { limit } = this.#query;
    const to = Math.min(from + ROWS_PER_TURN, batch.length);
    for (let row = from; row < to; row++) {
      const line = batch.bodies[row] as string;
      this.linesProcessed++;
      this.bytesProcessed += line.length;
      if (!passes(line)) continue;
      this.linesMatched++;
      const timeNs = batch.timesNs[row] as bigint;
      if (!this.#isFarEnough(timeNs)) continue;
      const stream = batch.streams[batch.streamRefs[row] as number] as LogStream;
      this.#entries.push({
        timeNs,
        line,
        stream: stream.labels,
        metadata: this.#metadata.of(batch, row),
        parsed: NO_LABELS,
      });
      if (this.#entries.length >= limit) return true;
    }
    const { max_scanned_rows } = this.#options.limits;
    if (this.linesProcessed > max_scanned_rows) {
      throw new LimitError(
        `the query looked at more than ${max_scanned_rows} log records (query.logs.max_scanned_rows); ask for less time or more exact labels`,
      );
    }
    return false;
  }

  #isFarEnough(timeNs: bigint): boolean {
    const { intervalNs, newestFirst } = this.#query;
    if (intervalNs === 0n) return true;
    if (this.#lastNs !== undefined) {
      const distanceNs = newestFirst ? this.#lastNs - timeNs : timeNs - this.#lastNs;
      if (distanceNs < intervalNs) return false;
    }
    this.#lastNs = timeNs;
    return true;
  }
}

const NS_PER_MS = 1_000_000n;

function sampleAt(expr: SampleExpr, timeNs: bigint): LogqlValue {
  const result = evaluateLiteral(expr);
  const timeMs = Number(timeNs / NS_PER_MS);
  if (result.kind === "scalar") return { type: "scalar", timeMs, value: result.value };
  const samples = result.value === undefined ? [] : [{ labels: NO_LABELS, timeMs, value: result.value }];
  return { type: "vector", samples };
}

function samplesOverRange(expr: SampleExpr, { startNs, endNs, stepNs }: LogqlRangeQuery): LogqlValue {
  const { value } = evaluateLiteral(expr);
  if (value === undefined || endNs < startNs) return { type: "matrix", series: [] };
  const steps = Number((endNs - startNs) / stepNs) + 1;
  const timesMs = new Float64Array(steps);
  for (let i = 0; i < steps; i++) timesMs[i] = Number((startNs + stepNs * BigInt(i)) / NS_PER_MS);
  return { type: "matrix", series: [{ labels: NO_LABELS, timesMs, values: new Float64Array(steps).fill(value) }] };
}

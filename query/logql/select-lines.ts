import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { LogExpr } from "./ast.ts";
import type { LogReader } from "./log-reader.ts";
import type { LogqlRangeQuery } from "./logql-query.ts";
import { type ScanCounts, scanRows } from "./metric/log-scan.ts";
import type { QueryBudget } from "./metric/query-budget.ts";
import { type CompiledPipeline, compilePipeline } from "./pipeline/compile-pipeline.ts";
import { LabelBuilder } from "./pipeline/label-builder.ts";
import { ParserHints } from "./pipeline/parser-hints.ts";
import { PipelineRow, type Stage } from "./pipeline/stage.ts";
import type { LogEntry } from "./result.ts";
import { RowPrefilter } from "./row-prefilter.ts";
import { StructuredMetadata } from "./structured-metadata.ts";

export type LineQuery = Omit<LogqlRangeQuery, "stepNs"> & {
  readonly store: LogReader;
  readonly budget: QueryBudget;
  readonly counts: ScanCounts;
};

/** The first lines of a log query in the order asked for. Reads no further than it must. */
export async function selectLines(expr: LogExpr, query: LineQuery): Promise<readonly LogEntry[]> {
  const { tenant, startNs, endNs, newestFirst, limit, intervalNs, budget } = query;
  const templates = { maxOutputCharacters: budget.limits.max_template_chars };
  const pipeline = compilePipeline(expr.stages, templates);
  // With an interval, or with filters of our own, most lines may be left out: nobody knows how many.
  const isLimitExact =
    intervalNs === 0n && pipeline.passesPushed && (pipeline.fields.length === 0 || query.store.appliesFields === true);
  const request = {
    tenant,
    range: { startNs, endNs },
    matchers: expr.matchers,
    line: pipeline.pushed,
    fields: pipeline.fields,
    hints: pipeline.hints,
    newestFirst,
    limit: isLimitExact ? limit : Number.MAX_SAFE_INTEGER,
    likelyRows: intervalNs === 0n ? limit : undefined,
    deferred: true,
  };
  const selector = new LineSelector(pipeline, RowPrefilter.of(expr.stages, templates), query);
  await scanRows({ ...query, request }, (batch, row, isExact) => selector.take(batch, row, isExact));
  return selector.entries;
}

class LineSelector {
  readonly entries: LogEntry[] = [];
  readonly #pipeline: CompiledPipeline;
  readonly #prefilter: RowPrefilter | undefined;
  readonly #query: LineQuery;
  readonly #row: PipelineRow;
  readonly #metadata = new StructuredMetadata();
  #lastNs: bigint | undefined;

  constructor(pipeline: CompiledPipeline, prefilter: RowPrefilter | undefined, query: LineQuery) {
    this.#pipeline = pipeline;
    this.#prefilter = prefilter;
    this.#query = query;
    this.#row = new PipelineRow(new LabelBuilder(new ParserHints({ filters: pipeline.hintFilters })));
  }

  /** False when there are enough. */
  take(batch: LogBatch, row: number, isExact: boolean): boolean {
    if (this.#prefilter?.drops(batch, row, isExact)) return true;
    if (!this.#passes(batch, row, isExact ? this.#pipeline.stagesAfterStore : this.#pipeline.stages)) return true;
    this.#query.counts.linesMatched++;
    const { line, timeNs, labels } = this.#row;
    if (this.#isFarEnough(timeNs)) this.entries.push({ timeNs, line, ...labels.categorized() });
    return this.entries.length < this.#query.limit;
  }

  #passes(batch: LogBatch, row: number, stages: readonly Stage[]): boolean {
    const stream = batch.streams[batch.streamRefs[row] as number] as LogStream;
    this.#row.line = batch.bodies[row] as string;
    this.#row.timeNs = batch.timesNs[row] as bigint;
    this.#row.labels.reset(stream.labels, this.#metadata.of(batch, row));
    for (const stage of stages) if (!stage.apply(this.#row)) return false;
    return true;
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

import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { LogQueryLimits } from "../config.ts";
import type { LogExpr } from "../logql/ast.ts";
import type { LogReader } from "../logql/log-reader.ts";
import { ScanCounts, scanRows } from "../logql/metric/log-scan.ts";
import { QueryBudget } from "../logql/metric/query-budget.ts";
import { compilePipeline } from "../logql/pipeline/compile-pipeline.ts";
import { LabelBuilder } from "../logql/pipeline/label-builder.ts";
import { ParserHints } from "../logql/pipeline/parser-hints.ts";
import { PipelineRow } from "../logql/pipeline/stage.ts";
import { StructuredMetadata } from "../logql/structured-metadata.ts";

export type ScanRecordsOptions = {
  readonly store: LogReader;
  readonly limits: LogQueryLimits;
  readonly tenant: TenantId;
  readonly range: TimeRangeNs;
  /** Most records that are visited: the newest ones. */
  readonly maxRecords: number;
  readonly signal: AbortSignal;
};
/** `row` is what the query made of the record; its labels are undefined when the query has no stages. */
export type RecordVisitor = (batch: LogBatch, row: number, made: PipelineRow | undefined) => void;

/**
 * Visits the records that a log query selects, the newest first. Returns whether all were visited. Throws as the engine
 * does: `LimitError` when it has to look at too many, the signal's reason once it aborts.
 */
export async function scanRecords(expr: LogExpr, options: ScanRecordsOptions, visit: RecordVisitor): Promise<boolean> {
  const { store, limits, tenant, range, maxRecords, signal } = options;
  const pipeline = compilePipeline(expr.stages, { maxOutputCharacters: limits.max_template_chars });
  const isExact = pipeline.stagesAfterStore.length === 0;
  const metadata = new StructuredMetadata();
  const made = new PipelineRow(new LabelBuilder(new ParserHints({ filters: pipeline.hintFilters })));
  let left = maxRecords;
  const request = {
    tenant,
    range,
    matchers: expr.matchers,
    line: pipeline.pushed,
    fields: pipeline.fields,
    newestFirst: true,
    // One more, to know whether there is more.
    limit: isExact ? maxRecords + 1 : Number.MAX_SAFE_INTEGER,
  };
  const scan = { store, request, signal, budget: new QueryBudget(limits, signal), counts: new ScanCounts() };
  await scanRows(scan, (batch, row, isStoreExact) => {
    const stages = isStoreExact ? pipeline.stagesAfterStore : pipeline.stages;
    if (expr.stages.length > 0) {
      const stream = batch.streams[batch.streamRefs[row] as number] as LogStream;
      made.line = batch.bodies[row] as string;
      made.timeNs = batch.timesNs[row] as bigint;
      made.labels.reset(stream.labels, stages.length > 0 ? metadata.of(batch, row) : []);
      for (const stage of stages) if (!stage.apply(made)) return true;
    }
    if (left === 0) {
      left = -1;
      return false;
    }
    left--;
    visit(batch, row, expr.stages.length > 0 ? made : undefined);
    return true;
  });
  return left >= 0;
}

import { InvalidInputError } from "@sightline/model/errors.ts";
import type { LogPattern, LogPatternStore } from "@sightline/model/log-pattern-store.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { LogQueryLimits } from "../config.ts";
import type { LogExpr } from "../logql/ast.ts";
import { parseLogql } from "../logql/parse/parse-logql.ts";
import { recordLevels } from "./record-levels.ts";
import { scanRecords } from "./scan-records.ts";

export type SelectPatternsOptions = {
  readonly patterns: LogPatternStore;
  readonly store: Pick<LogStore, "select">;
  readonly limits: LogQueryLimits;
  readonly tenant: TenantId;
  readonly range: TimeRangeNs;
  readonly signal: AbortSignal;
};

/** `isComplete` false: only of the newest lines, `query.logs.max_mined_lines` of them. */
export type SelectedPatterns = { readonly isComplete: boolean; readonly patterns: readonly LogPattern[] };

/**
 * The patterns of all lines that a query selects. Those of a plain selector were counted when the lines came in; where there
 * are filters, or labels that are not counted apart, the newest lines are read and their patterns found now.
 */
export async function selectPatterns(query: string, options: SelectPatternsOptions): Promise<SelectedPatterns> {
  const { patterns, limits, tenant, range, signal } = options;
  const expr = parseLogql(query, limits.max_query_bytes);
  if (expr.kind !== "log") throw new InvalidInputError("only log selector is supported");
  if (expr.stages.length === 0) {
    const known = await patterns.patterns({ tenant, range, matchers: expr.matchers }, signal);
    if (known.isComplete) return known;
  }
  return minePatterns(expr, options);
}

async function minePatterns(expr: LogExpr, options: SelectPatternsOptions): Promise<SelectedPatterns> {
  const miner = options.patterns.miner();
  const levels = recordLevels();
  let batchOfLevels: unknown;
  let levelAt = (_row: number) => "";
  const scan = { ...options, maxRecords: options.limits.max_mined_lines };
  const isComplete = await scanRecords(expr, scan, (batch, row, made) => {
    if (batch !== batchOfLevels) {
      batchOfLevels = batch;
      levelAt = levels(batch);
    }
    const line = made?.line ?? (batch.bodies[row] as string);
    miner.add(line, levelAt(row), Number((batch.timesNs[row] as bigint) / 1_000_000n));
  });
  return { isComplete, patterns: miner.patterns() };
}

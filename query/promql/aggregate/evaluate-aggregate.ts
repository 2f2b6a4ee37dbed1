import { NOTES } from "../annotations.ts";
import type { AggregateExpr, Aggregator } from "../ast.ts";
import type { Evaluator } from "../eval/evaluator.ts";
import type { Grid } from "../eval/grid.ts";
import { ABSENT, type StepSeries } from "../eval/step-series.ts";
import type { AggregateCall, GroupAggregator } from "./aggregator.ts";
import { chooseMembers } from "./choose-members.ts";
import { countValues } from "./count-values.ts";
import { groupSeries } from "./grouping.ts";
import {
  countAggregator,
  deviationAggregator,
  groupAggregator,
  maxAggregator,
  minAggregator,
  quantileAggregator,
  varianceAggregator,
} from "./simple-aggregators.ts";
import { averageAggregator, sumAggregator } from "./sum-and-average.ts";

const GROUP_AGGREGATORS: ReadonlyMap<Aggregator, GroupAggregator> = new Map([
  ["sum", sumAggregator],
  ["avg", averageAggregator],
  ["count", countAggregator],
  ["group", groupAggregator],
  ["min", minAggregator],
  ["max", maxAggregator],
  ["stdvar", varianceAggregator],
  ["stddev", deviationAggregator],
  ["quantile", quantileAggregator],
]);

/** Evaluates the parameter and the operand of an aggregation and puts them together. */
export async function evaluateAggregate(evaluator: Evaluator, expr: AggregateExpr, grid: Grid): Promise<StepSeries[]> {
  const { context } = evaluator;
  if (expr.op === "count_values") {
    const label = expr.param?.kind === "string" ? expr.param.value : "";
    return countValues(await evaluator.vector(expr.expr, grid), label, { context, expr, grid, param: undefined });
  }
  const param = expr.param && (await evaluator.scalar(expr.param, grid));
  const series = await evaluator.vector(expr.expr, grid);
  const call: AggregateCall = { context, expr, grid, param };
  const groups = groupSeries(series, expr.grouping, expr.without);
  const aggregate = GROUP_AGGREGATORS.get(expr.op);
  if (!aggregate) return chooseMembers(groups, call);
  if (expr.op === "quantile") noteQuantiles(call);
  const results: StepSeries[] = [];
  for (const group of groups) {
    const out = await aggregate(group, call);
    if (out.kinds.some((kind) => kind !== ABSENT)) results.push(out);
    if (context.breathless) await context.breathe();
  }
  return results;
}

function noteQuantiles({ context, expr, param }: AggregateCall): void {
  for (const quantile of new Set(param)) {
    if (quantile >= 0 && quantile <= 1) continue;
    context.annotations.warn(expr.param?.range ?? expr.range, NOTES.invalidQuantile(quantile));
  }
}

import { NOTES } from "../annotations.ts";
import type { AggregateExpr, Aggregator } from "../ast.ts";
import type { ExprEvaluator } from "../eval/expr-evaluator.ts";
import type { Grid } from "../eval/grid.ts";
import type { StepSeries } from "../eval/step-series.ts";
import type { AggregateCall, GroupAggregator, MakeAggregator } from "./aggregator.ts";
import {
  checkCounts,
  checkRatios,
  LimitAggregator,
  RankingAggregator,
  RatioAggregator,
} from "./choosing-aggregators.ts";
import { countValues } from "./count-values.ts";
import { GroupIndex } from "./group-index.ts";
import { QuantileAggregator } from "./quantile-aggregator.ts";
import { CountAggregator, ExtremeAggregator, PresenceAggregator, VarianceAggregator } from "./simple-aggregators.ts";
import { AverageAggregator, SumAggregator } from "./sum-and-average.ts";

type Aggregation = {
  readonly make: MakeAggregator;
  /** Looks at the parameter once the operand is known. False: the result is empty. */
  readonly check?: (call: AggregateCall) => boolean;
};

const AGGREGATIONS: ReadonlyMap<Aggregator, Aggregation> = new Map<Aggregator, Aggregation>([
  ["sum", { make: (labels, call) => new SumAggregator(labels, call) }],
  ["avg", { make: (labels, call) => new AverageAggregator(labels, call) }],
  ["count", { make: (labels, call) => new CountAggregator(labels, call) }],
  ["group", { make: (labels, call) => new PresenceAggregator(labels, call) }],
  ["min", { make: (labels, call) => new ExtremeAggregator(labels, call, -1) }],
  ["max", { make: (labels, call) => new ExtremeAggregator(labels, call, 1) }],
  ["stdvar", { make: (labels, call) => new VarianceAggregator(labels, call, (variance) => variance) }],
  ["stddev", { make: (labels, call) => new VarianceAggregator(labels, call, Math.sqrt) }],
  ["quantile", { make: (labels, call) => new QuantileAggregator(labels, call), check: noteQuantiles }],
  ["topk", { make: (_, call) => new RankingAggregator(call, 1), check: checkCounts }],
  ["bottomk", { make: (_, call) => new RankingAggregator(call, -1), check: checkCounts }],
  ["limitk", { make: (_, call) => new LimitAggregator(call), check: checkCounts }],
  ["limit_ratio", { make: (_, call) => new RatioAggregator(call), check: checkRatios }],
]);

/** Evaluates the parameter and the operand of an aggregation and puts its series together as they come. */
export async function evaluateAggregate(
  evaluator: ExprEvaluator,
  expr: AggregateExpr,
  grid: Grid,
): Promise<StepSeries[]> {
  const results = await aggregated(evaluator, expr, grid);
  const { foreseen } = evaluator.context;
  if (foreseen) for (const _ of results) foreseen.came(expr);
  return results;
}

async function aggregated(evaluator: ExprEvaluator, expr: AggregateExpr, grid: Grid): Promise<StepSeries[]> {
  const { context } = evaluator;
  if (expr.op === "count_values") {
    const label = expr.param?.kind === "string" ? expr.param.value : "";
    return countValues(await evaluator.vector(expr.expr, grid), label, { context, expr, grid, param: undefined });
  }
  const param = expr.param && (await evaluator.scalar(expr.param, grid));
  const call: AggregateCall = { context, expr, grid, param };
  const { make, check } = AGGREGATIONS.get(expr.op) as Aggregation;
  const index = new GroupIndex<GroupAggregator>(expr.grouping, expr.without, (labels) => {
    context.hold(grid.steps);
    return make(labels, call);
  });
  const take = (member: StepSeries) => index.of(member.labels).add(member);
  await evaluator.stream(expr.expr, grid, { keeps: false, holds: expr.op === "quantile", take });
  if (check && !check(call)) return [];
  const results: StepSeries[] = [];
  for (const group of index.groups) {
    for (const out of await group.finish()) if (!out.isEmpty()) results.push(out);
    if (context.breathless) await context.breathe();
  }
  return results;
}

/** Once for all steps: what is NaN, else the largest and the smallest that are no quantiles (fParams in promql/engine.go). */
function noteQuantiles({ context, expr, param = new Float64Array() }: AggregateCall): boolean {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const quantile of param) {
    least = Math.min(least, quantile);
    most = Math.max(most, quantile);
  }
  const note = (quantile: number) =>
    context.annotations.warn(expr.param?.range ?? expr.range, NOTES.invalidQuantile(quantile));
  if (Number.isNaN(most)) note(most);
  if (most > 1) note(most);
  if (least < 0) note(least);
  return true;
}

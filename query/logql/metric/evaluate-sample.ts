import { InvalidInputError } from "@sightline/model/errors.ts";
import { labelsFrom, labelValue } from "@sightline/model/labels.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import type { BinaryExpr, LabelReplaceExpr, RangeOperation, SampleExpr, VectorAggregationExpr } from "../ast.ts";
import { aggregate } from "./aggregate.ts";
import { binary, binaryWithNumber } from "./binary.ts";
import { type EvaluationContext, evaluateRange } from "./evaluate-range.ts";
import { emptySeries, type StepSeries } from "./step-series.ts";

/** The value of an expression at every step. Numbers by themselves are not evaluated here. */
export async function evaluateSample(expr: SampleExpr, context: EvaluationContext): Promise<StepSeries[]> {
  switch (expr.kind) {
    case "number":
    case "vector":
      return [constant(expr.value, context.grid.count)];
    case "range-aggregation":
      return evaluateRange(expr, undefined, context);
    case "vector-aggregation":
      return evaluateAggregation(expr, context);
    case "label-replace":
      if (expr.expr.kind === "number") throw numberAmongSeries();
      return replaceLabels(expr, await evaluateSample(expr.expr, context));
    default:
      return evaluateBinary(expr, context);
  }
}

function constant(value: number, steps: number): StepSeries {
  const series = emptySeries([], steps);
  series.values.fill(value);
  series.present.fill(1);
  return series;
}

/** A sum of these can be made while they are counted: the labels that it drops need not be looked at. */
const ADDITIVE: ReadonlySet<RangeOperation> = new Set([
  "bytes_over_time",
  "bytes_rate",
  "sum_over_time",
  "rate",
  "count_over_time",
]);

async function evaluateAggregation(expr: VectorAggregationExpr, context: EvaluationContext): Promise<StepSeries[]> {
  const { op, expr: inner, grouping } = expr;
  if (inner.kind === "number") throw numberAmongSeries();
  const isAdditive = op === "sum" && inner.kind === "range-aggregation" && ADDITIVE.has(inner.op) && !inner.grouping;
  const input = isAdditive ? await evaluateRange(inner, grouping, context) : await evaluateSample(inner, context);
  const keepsEmpty = isAdditive ? !grouping.without : hasEmptyLabels(inner);
  return aggregate(expr, keepsEmpty ? input : input.map(withoutEmpty), context.budget);
}

/**
 * In Loki an empty label of series made of lines is a missing one to whoever groups them, but for values that are unwrapped
 * where no label was picked, and for groups.
 */
function hasEmptyLabels(expr: SampleExpr): boolean {
  if (expr.kind === "vector-aggregation") return true;
  if (expr.kind !== "range-aggregation" || !expr.logRange.unwrap) return false;
  return !expr.logRange.log.stages.some(({ kind }) => kind === "keep" || kind === "drop");
}

function withoutEmpty(series: StepSeries): StepSeries {
  if (series.labels.every(([, value]) => value !== "")) return series;
  return { ...series, labels: series.labels.filter(([, value]) => value !== "") };
}

/** Loki's words. */
function numberAmongSeries(): InvalidInputError {
  return new InvalidInputError(
    "unexpected expr type (*syntax.LiteralExpr) for Evaluator type (*logql.DefaultEvaluator)",
  );
}

async function evaluateBinary(expr: BinaryExpr, context: EvaluationContext): Promise<StepSeries[]> {
  const { left, right } = expr;
  const { budget, grid } = context;
  if (left.kind === "number") {
    return binaryWithNumber(expr, await evaluateSample(right, context), left.value, true, budget);
  }
  if (right.kind === "number") {
    return binaryWithNumber(expr, await evaluateSample(left, context), right.value, false, budget);
  }
  const first = await evaluateSample(left, context);
  return binary(expr, first, await evaluateSample(right, context), grid.count, budget);
}

function replaceLabels(expr: LabelReplaceExpr, input: readonly StepSeries[]): StepSeries[] {
  const { target, replacement, source, regex } = expr;
  const compiled = compileRegex(regex);
  return input.map((series) => {
    const value = compiled.replaceWhole(labelValue(series.labels, source), replacement);
    if (value === undefined) return series;
    return { ...series, labels: labelsFrom([...series.labels, [target, value]]) };
  });
}

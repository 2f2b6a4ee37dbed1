import { type BinaryExpr, isArithmetic, isComparison } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { dropMetadata } from "../eval/result-labels.ts";
import { ABSENT, FLOAT, StepSeries } from "../eval/step-series.ts";
import { ElementOperator } from "./element-operator.ts";
import { ARITHMETIC, COMPARE } from "./scalar-operators.ts";

/** A vector and a scalar, in either order. A comparison keeps the vector's value, whichever side it is on. */
export async function vectorAndScalar(
  context: QueryContext,
  expr: BinaryExpr,
  grid: Grid,
  vector: readonly StepSeries[],
  scalar: Float64Array,
  scalarIsLeft: boolean,
): Promise<StepSeries[]> {
  const results: StepSeries[] = [];
  const drops = isArithmetic(expr.op) || expr.bool;
  for (const input of vector) {
    const labels = drops && !context.delayedNameRemoval ? dropMetadata(input.labels) : input.labels;
    const out = StepSeries.empty(labels, grid.steps, input.dropName || drops);
    if (input.histograms) anySamples(context, expr, input, scalar, scalarIsLeft, out);
    else floatSamples(context, expr, input, scalar, scalarIsLeft, out);
    if (!out.isEmpty()) {
      context.hold(grid.steps);
      results.push(out);
    }
    if (context.breathless) await context.breathe();
  }
  return results;
}

function floatSamples(
  context: QueryContext,
  expr: BinaryExpr,
  input: StepSeries,
  scalar: Float64Array,
  scalarIsLeft: boolean,
  out: StepSeries,
): void {
  const { op, bool } = expr;
  const { values, kinds } = input;
  if (isArithmetic(op)) {
    const operate = ARITHMETIC[op];
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] !== FLOAT) continue;
      const value = values[step] as number;
      const other = scalar[step] as number;
      out.values[step] = scalarIsLeft ? operate(other, value) : operate(value, other);
      out.kinds[step] = FLOAT;
    }
    return;
  }
  if (!isComparison(op)) {
    anySamples(context, expr, input, scalar, scalarIsLeft, out);
    return;
  }
  const compare = COMPARE[op];
  for (let step = 0; step < kinds.length; step++) {
    if (kinds[step] !== FLOAT) continue;
    const value = values[step] as number;
    const other = scalar[step] as number;
    const holds = scalarIsLeft ? compare(other, value) : compare(value, other);
    if (bool) out.setFloat(step, holds ? 1 : 0);
    else if (holds) out.setFloat(step, value);
  }
}

function anySamples(
  context: QueryContext,
  { op, bool, ...expr }: BinaryExpr,
  input: StepSeries,
  scalar: Float64Array,
  scalarIsLeft: boolean,
  out: StepSeries,
): void {
  const operator = new ElementOperator(context, { op, bool, ...expr });
  for (let step = 0; step < input.kinds.length; step++) {
    if (input.kinds[step] === ABSENT) continue;
    const sample = input.kinds[step] === FLOAT ? (input.values[step] as number) : input.histogramAt(step);
    const other = scalar[step] as number;
    const result = scalarIsLeft ? operator.apply(other, sample) : operator.apply(sample, other);
    if (!result) continue;
    if (bool) out.setFloat(step, result.keep ? 1 : 0);
    else if (result.keep) out.set(step, isComparison(op) ? sample : result.value);
  }
}

import { EMPTY_LABELS, type Labels, METRIC_NAME } from "@sightline/model/labels.ts";
import type { Expr } from "../ast.ts";
import { withLabel } from "../eval/result-labels.ts";
import { ABSENT, FLOAT, StepSeries } from "../eval/step-series.ts";
import { eachStep } from "./time.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions that go between scalars and vectors, or tell whether there is anything. */
export const CONVERSION_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["scalar", scalar],
  ["vector", vector],
  ["absent", absent],
]);

/** The float of the only series with one, else NaN. */
function scalar(call: FunctionCall) {
  const series = call.vector(0);
  const values = eachStep(call.grid.steps, (step) => {
    let value = Number.NaN;
    let found = false;
    for (const { kinds, values: candidates } of series) {
      if (kinds[step] !== FLOAT) continue;
      if (found) return Number.NaN;
      found = true;
      value = candidates[step] as number;
    }
    return value;
  });
  return { type: "scalar", values } as const;
}

function vector(call: FunctionCall) {
  const values = call.scalar(0);
  return call.result([new StepSeries(EMPTY_LABELS, false, values, new Uint8Array(values.length).fill(FLOAT))]);
}

function absent(call: FunctionCall) {
  return call.result(absentSeries(call.vector(0), call.argExpr(0), call.grid.steps, false));
}

/** One series that is 1 at the steps where none of `series` has a sample. */
export function absentSeries(
  series: readonly StepSeries[],
  selector: Expr,
  steps: number,
  dropName: boolean,
): StepSeries[] {
  const out = StepSeries.empty(absentLabels(selector), steps, dropName);
  for (let step = 0; step < steps; step++) {
    if (series.every(({ kinds }) => kinds[step] === ABSENT)) out.setFloat(step, 1);
  }
  return out.isEmpty() ? [] : [out];
}

/** What a selector says for sure about the series it would have found. A label matched twice says nothing. */
function absentLabels(expr: Expr): Labels {
  const selector = expr.kind === "matrix" ? expr.vector : expr;
  if (selector.kind !== "vector") return EMPTY_LABELS;
  const seen = new Set<string>();
  let labels = EMPTY_LABELS;
  for (const { name, op, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    const isFirst = op === "=" && !seen.has(name);
    labels = withLabel(labels, name, isFirst ? value : "");
    if (isFirst) seen.add(name);
  }
  return labels;
}

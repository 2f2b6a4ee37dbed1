import { EMPTY_LABELS, type Labels, METRIC_NAME } from "@sightline/model/labels.ts";
import type { Expr } from "../ast.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { withLabel } from "../eval/result-labels.ts";
import { ABSENT, FLOAT, StepSeries } from "../eval/step-series.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions that go between scalars and vectors, or tell whether there is anything. */
export const CONVERSION_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["scalar", scalar],
  ["vector", vector],
  ["absent", absent],
]);

/** The float of the only series with one, else NaN. */
async function scalar(call: FunctionCall) {
  const { steps } = call.grid;
  const values = new Float64Array(steps).fill(Number.NaN);
  const found = new Uint8Array(steps);
  for (const { kinds, values: candidates } of call.vector(0)) {
    for (let step = 0; step < steps; step++) {
      if (kinds[step] !== FLOAT) continue;
      values[step] = found[step] ? Number.NaN : (candidates[step] as number);
      found[step] = 1;
    }
    if (call.context.tired(steps)) await call.context.breathe();
  }
  return { type: "scalar", values } as const;
}

function vector(call: FunctionCall) {
  const values = call.scalar(0);
  return call.result([new StepSeries(EMPTY_LABELS, false, values, new Uint8Array(values.length).fill(FLOAT))]);
}

async function absent(call: FunctionCall) {
  return call.result(await absentSeries(call.context, call.vector(0), call.argExpr(0), call.grid.steps, false));
}

/** One series that is 1 at the steps where none of `series` has a sample. */
export async function absentSeries(
  context: QueryContext,
  series: readonly StepSeries[],
  selector: Expr,
  steps: number,
  dropName: boolean,
): Promise<StepSeries[]> {
  const out = StepSeries.empty(absentLabels(selector), steps, dropName);
  out.values.fill(1);
  out.kinds.fill(FLOAT);
  for (const { kinds } of series) {
    for (let step = 0; step < steps; step++) if (kinds[step] !== ABSENT) out.clear(step);
    if (context.tired(steps)) await context.breathe();
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

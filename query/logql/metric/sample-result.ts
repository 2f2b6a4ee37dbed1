import { LimitError } from "@sightline/model/errors.ts";
import { compareLabels, labelsKey } from "@sightline/model/labels.ts";
import type { MatrixSeries, VectorSample } from "../../promql/result.ts";
import type { SampleExpr } from "../ast.ts";
import { type StepGrid, timesMsOf } from "./step-grid.ts";
import type { StepSeries } from "./step-series.ts";

function checkSeries(count: number, maxSeries: number): void {
  if (count <= maxSeries) return;
  throw new LimitError(
    `maximum number of series (${maxSeries}) reached for a single query; consider reducing query cardinality by adding more specific stream selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk(); here it is query.logs.max_series`,
  );
}

/** Series with at least one sample, sorted by their labels. Throws `LimitError` when they are too many. */
export function sampleMatrix(input: readonly StepSeries[], grid: StepGrid, maxSeries: number): MatrixSeries[] {
  const timesMs = timesMsOf(grid);
  const merged = new Map<string, StepSeries>();
  for (const series of input) {
    if (!series.present.includes(1)) continue;
    const key = labelsKey(series.labels);
    const same = merged.get(key);
    merged.set(key, same ? combined(same, series) : series);
  }
  checkSeries(merged.size, maxSeries);
  return [...merged.values()]
    .map((series) => matrixSeries(series, timesMs))
    .sort((a, b) => compareLabels(a.labels, b.labels));
}

/** `or` and `label_replace` can give two series of the same labels: they are one, the first counts. */
function combined(a: StepSeries, b: StepSeries): StepSeries {
  const values = b.values.map((value, step) => (a.present[step] ? (a.values[step] as number) : value));
  return { labels: a.labels, values, present: b.present.map((is, step) => a.present[step] || is) };
}

function matrixSeries({ labels, values, present }: StepSeries, timesMs: Float64Array): MatrixSeries {
  if (!present.includes(0)) return { labels, timesMs, values };
  const steps = Uint32Array.from(present.keys().filter((step) => present[step] === 1));
  return {
    labels,
    timesMs: Float64Array.from(steps, (step) => timesMs[step] as number),
    values: Float64Array.from(steps, (step) => values[step] as number),
  };
}

/** The samples of the only step: by their labels, unless the query sorts by value. */
export function sampleVector(
  input: readonly StepSeries[],
  expr: SampleExpr,
  timeMs: number,
  maxSeries: number,
): VectorSample[] {
  const samples = input.flatMap(({ labels, values, present }) =>
    present[0] ? [{ labels, timeMs, value: values[0] as number }] : [],
  );
  checkSeries(samples.length, maxSeries);
  return sorts(expr) ? samples : samples.sort((a, b) => compareLabels(a.labels, b.labels));
}

function sorts(expr: SampleExpr): boolean {
  switch (expr.kind) {
    case "vector-aggregation":
      return expr.op === "sort" || expr.op === "sort_desc" || sorts(expr.expr);
    case "label-replace":
      return sorts(expr.expr);
    case "binary":
      return sorts(expr.left) || sorts(expr.right);
    default:
      return false;
  }
}

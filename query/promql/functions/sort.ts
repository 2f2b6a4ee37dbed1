import { compareLabels, labelValue } from "@sightline/model/labels.ts";
import { sortInTurns } from "../../http/sort-in-turns.ts";
import { NOTES } from "../annotations.ts";
import { FLOAT, type StepSeries } from "../eval/step-series.ts";
import { naturalCompare } from "./natural-compare.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions that order the result of an instant query; a range query's is always ordered by labels. */
export const SORT_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["sort", (call) => sortByValue(call, 1)],
  ["sort_desc", (call) => sortByValue(call, -1)],
  ["sort_by_label", (call) => sortByLabel(call, 1)],
  ["sort_by_label_desc", (call) => sortByLabel(call, -1)],
]);

function noteIfRange({ context, grid, expr }: FunctionCall): boolean {
  if (!grid.isSpan) return false;
  context.annotations.warn(expr.range, NOTES.sortInRange());
  return true;
}

/** NaN comes last in either direction; histograms have no order and are left out. */
async function sortByValue(call: FunctionCall, sign: 1 | -1) {
  const floats = call.vector(0).filter(({ kinds }) => kinds.includes(FLOAT));
  if (noteIfRange(call)) return call.result(floats.map(floatsOnly));
  const compare = (a: StepSeries, b: StepSeries) => {
    const x = a.values[0] as number;
    const y = b.values[0] as number;
    if (Number.isNaN(x) || Number.isNaN(y)) return (Number.isNaN(x) ? 1 : 0) - (Number.isNaN(y) ? 1 : 0);
    return x === y ? 0 : x < y ? -sign : sign;
  };
  return call.result(await sortInTurns(floats, compare, call.context));
}

function floatsOnly(series: StepSeries): StepSeries {
  if (!series.histograms) return series;
  const out = series.relabelled(series.labels, series.dropName);
  const kinds = series.kinds.map((kind) => (kind === FLOAT ? FLOAT : 0));
  return Object.assign(out, { kinds, histograms: undefined });
}

async function sortByLabel(call: FunctionCall, sign: 1 | -1) {
  const present = new Set(call.vector(0).flatMap(({ labels }) => labels.map(([name]) => name)));
  const named = call.args.flatMap((arg) => (arg.type === "string" && present.has(arg.value) ? [arg.value] : []));
  // A label given twice orders nothing that it has not ordered before.
  const names = [...new Set(named)];
  noteIfRange(call);
  const compare = (a: StepSeries, b: StepSeries) => {
    for (const name of names) {
      const order = naturalCompare(labelValue(a.labels, name), labelValue(b.labels, name));
      if (order !== 0) return sign * order;
    }
    return sign * compareLabels(a.labels, b.labels);
  };
  return call.result(await sortInTurns(call.vector(0), compare, call.context));
}

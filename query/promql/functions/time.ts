import { EMPTY_LABELS } from "@sightline/model/labels.ts";
import { timeAt } from "../eval/grid.ts";
import { StepSeries } from "../eval/step-series.ts";
import { mapFloats } from "./math.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

const DAY_MS = 86_400_000;

/** Parts of a time in UTC, of the values given or of the time of evaluation. */
export const TIME_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["time", ({ grid }) => ({ type: "scalar", values: eachStep(grid.steps, (step) => timeAt(grid, step) / 1000) })],
  ["pi", ({ grid }) => ({ type: "scalar", values: new Float64Array(grid.steps).fill(Math.PI) })],
  ...Object.entries({
    year: (date: Date) => date.getUTCFullYear(),
    month: (date: Date) => date.getUTCMonth() + 1,
    day_of_month: (date: Date) => date.getUTCDate(),
    day_of_week: (date: Date) => date.getUTCDay(),
    day_of_year: (date: Date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / DAY_MS) + 1,
    days_in_month: (date: Date) => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate(),
    hour: (date: Date) => date.getUTCHours(),
    minute: (date: Date) => date.getUTCMinutes(),
  }).map(([name, part]): [string, VectorFunction] => [name, (call) => partOfTime(call, part)]),
]);

function partOfTime(call: FunctionCall, part: (date: Date) => number) {
  if (call.args.length > 0) return mapFloats(call, (seconds) => part(new Date(Math.trunc(seconds) * 1000)));
  const { grid } = call;
  const out = StepSeries.empty(EMPTY_LABELS, grid.steps);
  for (let step = 0; step < grid.steps; step++) {
    out.setFloat(step, part(new Date(Math.trunc(timeAt(grid, step) / 1000) * 1000)));
  }
  return call.result([out]);
}

export function eachStep(steps: number, value: (step: number) => number): Float64Array {
  const values = new Float64Array(steps);
  for (let step = 0; step < steps; step++) values[step] = value(step);
  return values;
}

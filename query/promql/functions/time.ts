import { EMPTY_LABELS } from "@sightline/model/labels.ts";
import { timeAt } from "../eval/grid.ts";
import { StepSeries } from "../eval/step-series.ts";
import { type GoDate, goDate } from "./go-date.ts";
import { mapFloats } from "./math.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Parts of a time in UTC, of the values given or of the time of evaluation. */
export const TIME_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["time", ({ grid }) => ({ type: "scalar", values: eachStep(grid.steps, (step) => timeAt(grid, step) / 1000) })],
  ["pi", ({ grid }) => ({ type: "scalar", values: new Float64Array(grid.steps).fill(Math.PI) })],
  ...Object.entries({
    year: (date: GoDate) => date.year,
    month: (date: GoDate) => date.month,
    day_of_month: (date: GoDate) => date.dayOfMonth,
    day_of_week: (date: GoDate) => date.dayOfWeek,
    day_of_year: (date: GoDate) => date.dayOfYear,
    days_in_month: (date: GoDate) => date.daysInMonth,
    hour: (date: GoDate) => date.hour,
    minute: (date: GoDate) => date.minute,
  }).map(([name, part]): [string, VectorFunction] => [name, (call) => partOfTime(call, part)]),
]);

function partOfTime(call: FunctionCall, part: (date: GoDate) => number) {
  if (call.args.length > 0) return mapFloats(call, (seconds) => part(goDate(seconds)));
  const { grid } = call;
  const out = StepSeries.empty(EMPTY_LABELS, grid.steps);
  for (let step = 0; step < grid.steps; step++) out.setFloat(step, part(goDate(timeAt(grid, step) / 1000)));
  return call.result([out]);
}

export function eachStep(steps: number, value: (step: number) => number): Float64Array {
  const values = new Float64Array(steps);
  for (let step = 0; step < steps; step++) values[step] = value(step);
  return values;
}

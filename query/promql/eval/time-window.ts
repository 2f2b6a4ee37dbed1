import type { AtModifier, Duration } from "../ast.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { type Grid, lastTime } from "./grid.ts";

/** A duration of a prepared query, which has no expressions any more. */
export function knownDuration(duration: Duration): number {
  if (typeof duration !== "number") throw new EvaluationError("duration expression was not resolved");
  return duration;
}

/**
 * The moment a selector looks at for each step: `step time - offset`, or, with `@`, one moment for all steps.
 */
export type Gaze = { readonly fixedMs: number | undefined; readonly offsetMs: number };

export function gazeOf(selector: { readonly at?: AtModifier; readonly offset: Duration }): Gaze {
  const offsetMs = knownDuration(selector.offset);
  if (selector.at === undefined) return { fixedMs: undefined, offsetMs };
  if (typeof selector.at !== "number") throw new EvaluationError("@ modifier was not resolved");
  return { fixedMs: selector.at - offsetMs, offsetMs };
}

export function firstGaze(gaze: Gaze, grid: Grid): number {
  return gaze.fixedMs ?? grid.startMs - gaze.offsetMs;
}

export function lastGaze(gaze: Gaze, grid: Grid): number {
  return gaze.fixedMs ?? lastTime(grid) - gaze.offsetMs;
}

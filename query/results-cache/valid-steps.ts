import type { TimeRange } from "@sightline/model/time-range.ts";
import type { DataWindow } from "./data-window.ts";
import type { StepRange } from "./extent.ts";

/** The steps of `range` whose windows no change touches, as ranges that ascend. `changes` ascend and do not overlap. */
export function validSteps(
  range: StepRange,
  stepMs: number,
  { backMs, aheadMs }: DataWindow,
  changes: readonly TimeRange[],
): StepRange[] {
  const valid: StepRange[] = [];
  let startMs = range.startMs;
  for (const change of changes) {
    // Steps from `change.startMs - aheadMs` to `change.endMs + backMs` see it.
    const lastBeforeMs = stepBefore(range, stepMs, change.startMs - aheadMs);
    if (lastBeforeMs >= startMs) valid.push({ startMs, endMs: Math.min(lastBeforeMs, range.endMs) });
    startMs = Math.max(startMs, stepBefore(range, stepMs, change.endMs + backMs + 1) + stepMs);
    if (startMs > range.endMs) return valid;
  }
  valid.push({ startMs, endMs: range.endMs });
  return valid;
}

/** The last step before `timeMs`, which may lie before the range. */
function stepBefore({ startMs }: StepRange, stepMs: number, timeMs: number): number {
  return startMs + (Math.ceil((timeMs - startMs) / stepMs) - 1) * stepMs;
}

/** The moments an expression is evaluated at: `startMs + step * stepMs`. An instant query has one. */
export type Grid = {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
  /** Begins and ends at different times, even if that leaves one step: then nothing is in an order of its own. */
  readonly isSpan: boolean;
};

export function gridOf(startMs: number, endMs: number, stepMs: number): Grid {
  const steps = endMs < startMs ? 0 : Math.floor((endMs - startMs) / stepMs) + 1;
  return { startMs, stepMs, steps, isSpan: endMs !== startMs };
}

export function instantGrid(timeMs: number): Grid {
  return { startMs: timeMs, stepMs: 1, steps: 1, isSpan: false };
}

export function timeAt(grid: Grid, step: number): number {
  return grid.startMs + step * grid.stepMs;
}

export function lastTime(grid: Grid): number {
  return timeAt(grid, grid.steps - 1);
}

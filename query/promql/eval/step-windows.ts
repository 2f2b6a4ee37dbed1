import { type Grid, timeAt } from "./grid.ts";
import { ABSENT, FLOAT } from "./step-series.ts";
import type { Gaze } from "./time-window.ts";

/**
 * Which samples are in the window of each step, for one array of times. The series of one scrape target share their
 * times, so what depends on times alone is worked out once for all of them.
 */
export class StepWindows {
  readonly timesMs: Float64Array;
  readonly rangeMs: number;
  /** At each step, the window has samples `from` (included) to `to` (excluded). */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** {@link FLOAT} at steps whose window has enough samples for a result, else {@link ABSENT}. */
  readonly kinds: Uint8Array;
  /** How many steps have a result. */
  readonly count: number;
  /** All of them lie from `firstStep` (included) to `endStep` (excluded). */
  readonly firstStep: number;
  readonly endStep: number;
  /** Samples in the windows of all steps together. */
  readonly samples: number;
  readonly #grid: Grid;
  readonly #offsetMs: number;

  constructor(timesMs: Float64Array, grid: Grid, { offsetMs }: Gaze, rangeMs: number, minSamples: number) {
    this.timesMs = timesMs;
    this.rangeMs = rangeMs;
    this.from = new Int32Array(grid.steps);
    this.to = new Int32Array(grid.steps);
    this.kinds = new Uint8Array(grid.steps);
    this.#grid = grid;
    this.#offsetMs = offsetMs;
    let [from, to, count, samples, firstStep, endStep] = [0, 0, 0, 0, 0, 0];
    for (let step = 0; step < grid.steps; step++) {
      const endMs = this.endMs(step);
      const startMs = endMs - rangeMs;
      while (to < timesMs.length && (timesMs[to] as number) <= endMs) to++;
      while (from < to && (timesMs[from] as number) <= startMs) from++;
      this.from[step] = from;
      this.to[step] = to;
      samples += to - from;
      const isEnough = to - from >= minSamples;
      this.kinds[step] = isEnough ? FLOAT : ABSENT;
      if (!isEnough) continue;
      if (count++ === 0) firstStep = step;
      endStep = step + 1;
    }
    this.firstStep = firstStep;
    this.endStep = endStep;
    this.count = count;
    this.samples = samples;
  }

  /** Every step between the first and the last one that has a result has one. */
  get isSolid(): boolean {
    return this.count === this.endStep - this.firstStep;
  }

  /** The end of the window of a step, included; it starts `rangeMs` before, excluded. */
  endMs(step: number): number {
    return timeAt(this.#grid, step) - this.#offsetMs;
  }
}

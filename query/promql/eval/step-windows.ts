import { type Grid, timeAt } from "./grid.ts";
import { indexAfter } from "./index-after.ts";
import { FLOAT } from "./step-series.ts";
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
  /** {@link FLOAT} at steps whose window has enough samples for a result, else ABSENT. */
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
    const { startMs: firstMs, stepMs, steps } = grid;
    const allFrom = new Int32Array(steps);
    const allTo = new Int32Array(steps);
    const kinds = new Uint8Array(steps);
    let [from, to, fromStride, toStride] = [0, 0, 0, 0];
    let [count, samples, firstStep, endStep] = [0, 0, 0, 0];
    for (let step = 0; step < steps; step++) {
      const endMs = firstMs + step * stepMs - offsetMs;
      const nextTo = indexAfter(timesMs, to, toStride, endMs);
      toStride = nextTo - to;
      to = nextTo;
      const nextFrom = indexAfter(timesMs, from, fromStride, endMs - rangeMs);
      fromStride = nextFrom - from;
      from = nextFrom;
      allFrom[step] = from;
      allTo[step] = to;
      samples += to - from;
      if (to - from < minSamples) continue;
      kinds[step] = FLOAT;
      if (count++ === 0) firstStep = step;
      endStep = step + 1;
    }
    this.firstStep = firstStep;
    this.endStep = endStep;
    this.count = count;
    this.samples = samples;
    this.from = allFrom;
    this.to = allTo;
    this.kinds = kinds;
    this.#grid = grid;
    this.#offsetMs = offsetMs;
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

import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { Annotations } from "../annotations.ts";
import type { CallExpr, Range, VectorSelector } from "../ast.ts";
import type { RangeInput } from "./range-input.ts";
import type { StepWindows } from "./step-windows.ts";

/**
 * What a function of a range vector sees at one step of one series: the samples `from` (included) `to` (excluded) of
 * the whole arrays. One object is used for all steps, so nothing may keep it.
 */
export type RangeWindow = {
  timesMs: Float64Array;
  values: Float64Array;
  from: number;
  to: number;
  histogramTimesMs: Float64Array;
  histograms: readonly NativeHistogram[];
  histogramFrom: number;
  histogramTo: number;
  /** The range, start excluded. The samples of `anchored` and `smoothed` ranges reach further. */
  startMs: number;
  endMs: number;
  /** The step, and its time: what a prediction starts from. */
  step: number;
  timeMs: number;
  series: RangeInput;
  readonly call: RangeCall;
};

/** What is the same for all series and steps. */
export type RangeCall = {
  readonly expr: CallExpr;
  /** `[5m]` in milliseconds, and in seconds. */
  readonly rangeMs: number;
  readonly rangeSeconds: number;
  /** Scalar arguments by their index in the call, one value per step. */
  readonly params: ReadonlyMap<number, Float64Array>;
  readonly annotations: Annotations;
  /** Positions of the range vector and of the first argument, for annotations. */
  readonly argRange: Range;
  readonly firstArgRange: Range;
  readonly extend: VectorSelector["extend"];
};

/** Writes to `out` the results of those steps of its windows that have one, for a series with their times. */
export type SeriesKernel = (values: Float64Array, resets: readonly number[], out: Float64Array) => void;

/** undefined: the series has no sample at this step. */
export type RangeResult = number | NativeHistogram | undefined;

export type RangeFunction = {
  /** Fewer floats than this in a window give no result. */
  readonly minFloats: number;
  /** The name of the metric still fits the result. */
  readonly keepsName?: boolean;
  /** It looks at {@link RangeInput.resets}. */
  readonly needsResets?: boolean;
  /** The result for a window of at least `minFloats` floats and no histogram. */
  floats(window: RangeWindow): number;
  /** Instead of calling `floats` for every window: does all that depends on times alone once, for many series. */
  overWindows?(windows: StepWindows, call: RangeCall): SeriesKernel;
  /** The result for a window with at least one histogram, or of any extended range. */
  any(window: RangeWindow): RangeResult;
  /** `floats` can't tell everything (start times): `any` is called for every window. */
  always?(input: RangeInput): boolean;
};

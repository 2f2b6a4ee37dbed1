import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { Labels } from "@sightline/model/labels.ts";

/** One value of a sequence in a script. `hintGiven`: the counter reset hint of a histogram was written down. */
export type Value =
  | { readonly kind: "none" }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "stale" }
  | { readonly kind: "histogram"; readonly histogram: NativeHistogram; readonly hintGiven: boolean };

export type SeriesLine = { readonly labels: Labels; readonly values: readonly Value[] };

export type LoadCommand = {
  readonly kind: "load";
  readonly line: number;
  readonly gapMs: number;
  /** Classic histograms are also loaded as native ones with custom buckets. */
  readonly withCustomBuckets: boolean;
  /** `starts` has the start time of each value relative to its own time, undefined where it has none. */
  readonly series: readonly (SeriesLine & { readonly starts?: readonly (number | undefined)[] })[];
};

export type Expectation = { readonly text: string; readonly matches: (actual: string) => boolean };

export type EvalCommand = {
  readonly kind: "eval";
  readonly line: number;
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query, which is asked at `endMs`. */
  readonly stepMs: number;
  readonly ordered: boolean;
  /** Present when the query must fail; the texts it may fail with. */
  readonly fail: readonly Expectation[] | undefined;
  readonly warn: readonly Expectation[];
  readonly info: readonly Expectation[];
  /** From the older `eval_warn` and `eval_info`: there must be some. */
  readonly someWarn: boolean;
  readonly someInfo: boolean;
  readonly noWarn: boolean;
  readonly noInfo: boolean;
  readonly scalar: number | undefined;
  readonly string: string | undefined;
  /** The result of an instant query is a range vector with these times. */
  readonly rangeVector: { readonly startMs: number; readonly endMs: number; readonly stepMs: number } | undefined;
  readonly series: readonly SeriesLine[];
};

export type ClearCommand = { readonly kind: "clear"; readonly line: number };
export type Command = LoadCommand | EvalCommand | ClearCommand;

/** A script that can't be read. The message has the line. */
export class ScriptError extends Error {
  constructor(line: number, message: string, cause?: unknown) {
    super(`line ${line}: ${message}`, cause === undefined ? {} : { cause });
  }
}

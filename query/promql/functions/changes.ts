import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { RangeFunction, RangeResult, RangeWindow } from "../eval/range-function.ts";
import { detectReset } from "../histogram/detect-reset.ts";
import { equalHistograms } from "../histogram/equal-histograms.ts";
import { isDelta } from "./delta-rate.ts";
import { isStartTimeReset } from "./start-time.ts";

/** `resets` and `changes`: how often something happened between neighbouring samples of a range. */
export const CHANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map<string, RangeFunction>([
  ["changes", { minFloats: 1, floats: countChanges, any: (window) => countPairs(window, isChange) }],
  [
    "resets",
    {
      minFloats: 1,
      floats: countResets,
      // A delta series starts at zero with every sample, which is no reset.
      any: (window) => countPairs(window, isDelta(window.series) ? () => false : isReset),
      always: (input) => isDelta(input) || input.startsMs !== undefined || input.histogramStartsMs !== undefined,
    },
  ],
]);

function countChanges({ values, from, to }: RangeWindow): number {
  let changes = 0;
  for (let i = from + 1; i < to; i++) {
    const value = values[i] as number;
    const before = values[i - 1] as number;
    if (value !== before && !(Number.isNaN(value) && Number.isNaN(before))) changes++;
  }
  return changes;
}

function countResets({ values, from, to }: RangeWindow): number {
  let resets = 0;
  for (let i = from + 1; i < to; i++) if ((values[i] as number) < (values[i - 1] as number)) resets++;
  return resets;
}

type Sample = { readonly timeMs: number; readonly startMs: number; readonly value: number | NativeHistogram };

function isChange(before: Sample, sample: Sample): boolean {
  const { value: a } = before;
  const { value: b } = sample;
  if (typeof a === "number" && typeof b === "number") return a !== b && !(Number.isNaN(a) && Number.isNaN(b));
  return typeof a === "number" || typeof b === "number" || !equalHistograms(a, b);
}

function isReset(before: Sample, sample: Sample): boolean {
  const { value: a } = before;
  const { value: b } = sample;
  if ((typeof a === "number") !== (typeof b === "number")) return true;
  if (isStartTimeReset(before.startMs, before.timeMs, sample.startMs, sample.timeMs)) return true;
  return typeof a === "number" || typeof b === "number" ? (b as number) < (a as number) : detectReset(b, a);
}

/** Floats and histograms in the order of time; an anchored range counts from the last sample before it on. */
function countPairs(window: RangeWindow, happened: (before: Sample, sample: Sample) => boolean): RangeResult {
  const samples = samplesInOrder(window);
  let first = 0;
  if (window.call.extend === "anchored") {
    while (first < samples.length && (samples[first] as Sample).timeMs <= window.startMs) first++;
    if (first === samples.length) return undefined;
    first = Math.max(0, first - 1);
  }
  if (samples.length === 0) return undefined;
  let count = 0;
  for (let i = first + 1; i < samples.length; i++) {
    if (happened(samples[i - 1] as Sample, samples[i] as Sample)) count++;
  }
  return count;
}

function samplesInOrder(window: RangeWindow): Sample[] {
  const { timesMs, values, histogramTimesMs, histograms, series } = window;
  const samples: Sample[] = [];
  for (let i = window.from; i < window.to; i++) {
    samples.push({ timeMs: timesMs[i] as number, startMs: series.startsMs?.[i] ?? 0, value: values[i] as number });
  }
  for (let i = window.histogramFrom; i < window.histogramTo; i++) {
    const startMs = series.histogramStartsMs?.[i] ?? 0;
    samples.push({ timeMs: histogramTimesMs[i] as number, startMs, value: histograms[i] as NativeHistogram });
  }
  return samples.sort((a, b) => a.timeMs - b.timeMs);
}

import { labelsKey } from "@sightline/model/labels.ts";
import { EvaluationError } from "../evaluation-error.ts";
import type { QueryContext } from "./query-context.ts";
import { ABSENT, FLOAT, StepSeries } from "./step-series.ts";

/** Making a key of labels takes as long as looking at so many samples. */
export const KEY_WORK = 300;

/** So many of a key take as long. */
const CHARACTERS_PER_SAMPLE = 10;

/**
 * Joins series that have come to have the same labels. Throws {@link EvaluationError} when two of them have a sample
 * at the same step.
 */
export async function mergeSameLabels(context: QueryContext, series: StepSeries[]): Promise<StepSeries[]> {
  if (series.length < 2) return series;
  const byKey = new Map<string, number>();
  const merged: StepSeries[] = [];
  for (const entry of series) {
    const key = labelsKey(entry.labels);
    const known = byKey.get(key);
    if (known === undefined) {
      byKey.set(key, merged.length);
      merged.push(entry);
    } else {
      merged[known] = join(merged[known] as StepSeries, entry);
      if (context.tired(2 * entry.kinds.length)) await context.breathe();
    }
    if (context.tired(KEY_WORK + key.length / CHARACTERS_PER_SAMPLE)) await context.breathe();
  }
  return merged;
}

/** What becomes of the name is decided by the first sample, as in Prometheus. */
function join(a: StepSeries, b: StepSeries): StepSeries {
  const { dropName } = firstStep(b) < firstStep(a) ? b : a;
  const out = StepSeries.empty(a.labels, a.kinds.length, dropName);
  for (let step = 0; step < a.kinds.length; step++) {
    const inA = a.kinds[step] !== ABSENT;
    const inB = b.kinds[step] !== ABSENT;
    if (inA && inB) throw new EvaluationError("vector cannot contain metrics with the same labelset");
    if (inA || inB) copySample(inA ? a : b, out, step);
  }
  return out;
}

function firstStep({ kinds }: StepSeries): number {
  return kinds.findIndex((kind) => kind !== ABSENT);
}

export function copySample(from: StepSeries, to: StepSeries, step: number): void {
  if (from.kinds[step] === FLOAT) to.setFloat(step, from.values[step] as number);
  else to.setHistogram(step, from.histogramAt(step));
}

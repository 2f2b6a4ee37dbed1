import { NOTES } from "../annotations.ts";
import { compensated } from "../eval/neumaier.ts";
import { metricName } from "../eval/result-labels.ts";
import { FLOAT, HISTOGRAM, StepSeries } from "../eval/step-series.ts";
import { IncompatibleSchemasError } from "../histogram/histogram-accumulator.ts";
import { type AggregateCall, type GroupAggregator, membersDropName } from "./aggregator.ts";
import type { Group } from "./grouping.ts";
import { HistogramMean, HistogramTotal } from "./histogram-total.ts";

/** Sums and means, compensated (aggregation in Prometheus' promql/engine.go). */
export const sumAggregator: GroupAggregator = async (group, call) => {
  if (hasHistograms(group)) return aggregateAny(group, call, () => new HistogramTotal(), sumAt);
  const out = StepSeries.empty(group.labels, call.grid.steps, membersDropName(group));
  const compensations = new Float64Array(call.grid.steps);
  const { values: sums, kinds } = out;
  for (const member of group.members) {
    addMember(member, sums, compensations, kinds);
    if (call.context.tired(sums.length)) await call.context.breathe();
  }
  for (let step = 0; step < sums.length; step++) sums[step] = (sums[step] as number) + (compensations[step] as number);
  return out;
};

function addMember(
  { values, kinds: memberKinds }: StepSeries,
  sums: Float64Array,
  compensations: Float64Array,
  kinds: Uint8Array,
): void {
  for (let step = 0; step < sums.length; step++) {
    if (memberKinds[step] !== FLOAT) continue;
    const value = values[step] as number;
    if (kinds[step] !== FLOAT) {
      sums[step] = value;
      kinds[step] = FLOAT;
      continue;
    }
    const sum = sums[step] as number;
    const total = sum + value;
    compensations[step] = compensated(compensations[step] as number, sum, value, total);
    sums[step] = total;
  }
}

export const averageAggregator: GroupAggregator = async (group, call) => {
  if (hasHistograms(group)) return aggregateAny(group, call, () => new HistogramMean(), averageAt);
  const out = StepSeries.empty(group.labels, call.grid.steps, membersDropName(group));
  for (let step = 0; step < call.grid.steps; step++) {
    const average = averageAt(group, step);
    if (average !== undefined) out.setFloat(step, average);
    if (call.context.tired(group.members.length)) await call.context.breathe();
  }
  return out;
};

function hasHistograms(group: Group): boolean {
  return group.members.some(({ histograms }) => histograms !== undefined);
}

function sumAt({ members }: Group, step: number): number | undefined {
  let total: number | undefined;
  let compensation = 0;
  for (const { values, kinds } of members) {
    if (kinds[step] !== FLOAT) continue;
    const value = values[step] as number;
    if (total === undefined) {
      total = value;
      continue;
    }
    const next: number = total + value;
    compensation = compensated(compensation, total, value, next);
    total = next;
  }
  return total === undefined ? undefined : total + compensation;
}

/** The plain mean as long as the sum does not overflow, from there on the incremental one. */
function averageAt({ members }: Group, step: number): number | undefined {
  let count = 0;
  let total = 0;
  let mean = 0;
  let compensation = 0;
  let incremental = false;
  for (const { values, kinds } of members) {
    if (kinds[step] !== FLOAT) continue;
    const value = values[step] as number;
    count++;
    if (count === 1) {
      total = value;
      mean = value;
      continue;
    }
    if (!incremental) {
      const next = total + value;
      if (next !== Number.POSITIVE_INFINITY && next !== Number.NEGATIVE_INFINITY) {
        compensation = compensated(compensation, total, value, next);
        total = next;
        continue;
      }
      incremental = true;
      mean = total / (count - 1);
      compensation /= count - 1;
    }
    const share = (count - 1) / count;
    const before = share * mean;
    const added = value / count;
    mean = before + added;
    compensation = compensated(share * compensation, before, added, mean);
  }
  if (count === 0) return undefined;
  return incremental ? mean + compensation : total / count + compensation / count;
}

/** A group with histograms: at each step it has either floats or histograms, or it has no result there. */
async function aggregateAny(
  group: Group,
  call: AggregateCall,
  makeTotal: () => HistogramTotal | HistogramMean,
  floatsAt: (group: Group, step: number) => number | undefined,
): Promise<StepSeries> {
  const out = StepSeries.empty(group.labels, call.grid.steps, membersDropName(group));
  const { annotations } = call.context;
  const { range } = call.expr.expr;
  for (let step = 0; step < call.grid.steps; step++) {
    const histograms = group.members.filter(({ kinds }) => kinds[step] === HISTOGRAM);
    const hasFloats = group.members.some(({ kinds }) => kinds[step] === FLOAT);
    if (histograms.length > 0 && hasFloats) {
      annotations.warn(range, NOTES.mixedFloatsHistogramsInAggregation());
    } else if (hasFloats) {
      out.setFloat(step, floatsAt(group, step) as number);
    } else if (histograms.length > 0) {
      aggregateHistograms(histograms, step, call, makeTotal(), out);
    }
    if (call.context.tired(100 * group.members.length)) await call.context.breathe();
  }
  return out;
}

function aggregateHistograms(
  members: readonly StepSeries[],
  step: number,
  call: AggregateCall,
  total: HistogramTotal | HistogramMean,
  out: StepSeries,
): void {
  const { annotations } = call.context;
  const { range } = call.expr.expr;
  for (const member of members) {
    try {
      total.add(member.histogramAt(step));
    } catch (error) {
      if (!(error instanceof IncompatibleSchemasError)) throw error;
      annotations.warn(range, NOTES.mixedSchemas(metricName(member.labels)));
      return;
    }
  }
  if (total.boundsReconciled) annotations.info(range, NOTES.mismatchedCustomBuckets("aggregation"));
  if (total.hasResetCollision) annotations.warn(range, NOTES.resetCollision("aggregation"));
  out.setHistogram(step, total.result());
}

import { NOTES } from "../annotations.ts";
import { ABSENT, FLOAT, HISTOGRAM, StepSeries } from "../eval/step-series.ts";
import { type AggregateCall, type GroupAggregator, membersDropName } from "./aggregator.ts";
import type { Group } from "./grouping.ts";
import { quantileOf } from "./quantile-of.ts";

export const countAggregator: GroupAggregator = async (group, { context, grid }) => {
  const out = StepSeries.empty(group.labels, grid.steps, membersDropName(group));
  for (const { kinds } of group.members) {
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] !== ABSENT) out.setFloat(step, (out.values[step] as number) + 1);
    }
    if (context.tired(kinds.length)) await context.breathe();
  }
  return out;
};

export const groupAggregator: GroupAggregator = async (group, { context, grid }) => {
  const out = StepSeries.empty(group.labels, grid.steps, membersDropName(group));
  for (const { kinds } of group.members) {
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== ABSENT) out.setFloat(step, 1);
    if (context.tired(kinds.length)) await context.breathe();
  }
  return out;
};

export const minAggregator: GroupAggregator = (group, call) =>
  fold(group, call, (best, value) => best > value || Number.isNaN(best));

export const maxAggregator: GroupAggregator = (group, call) =>
  fold(group, call, (best, value) => best < value || Number.isNaN(best));

async function fold(
  group: Group,
  call: AggregateCall,
  isBetter: (best: number, value: number) => boolean,
): Promise<StepSeries> {
  const out = StepSeries.empty(group.labels, call.grid.steps, membersDropName(group));
  noteHistograms(group, call);
  const { values: best, kinds } = out;
  for (const { values, kinds: memberKinds } of group.members) {
    for (let step = 0; step < best.length; step++) {
      if (memberKinds[step] !== FLOAT) continue;
      const value = values[step] as number;
      if (kinds[step] === FLOAT && !isBetter(best[step] as number, value)) continue;
      best[step] = value;
      kinds[step] = FLOAT;
    }
    if (call.context.tired(best.length)) await call.context.breathe();
  }
  return out;
}

export const varianceAggregator: GroupAggregator = (group, call) => variance(group, call, (value) => value);
export const deviationAggregator: GroupAggregator = (group, call) => variance(group, call, Math.sqrt);

/** Welford's method over the members of each step. */
async function variance(group: Group, call: AggregateCall, finish: (variance: number) => number): Promise<StepSeries> {
  const out = StepSeries.empty(group.labels, call.grid.steps, membersDropName(group));
  noteHistograms(group, call);
  for (let step = 0; step < call.grid.steps; step++) {
    let count = 0;
    let mean = 0;
    let squares = 0;
    for (const { values, kinds } of group.members) {
      if (kinds[step] !== FLOAT) continue;
      const value = values[step] as number;
      if (++count === 1) {
        mean = value;
        squares = Number.isFinite(value) ? 0 : Number.NaN;
        continue;
      }
      const delta = value - mean;
      mean += delta / count;
      squares += delta * (value - mean);
    }
    if (count > 0) out.setFloat(step, finish(squares / count));
    if (call.context.tired(group.members.length)) await call.context.breathe();
  }
  return out;
}

export const quantileAggregator: GroupAggregator = async (group, call) => {
  const out = StepSeries.empty(group.labels, call.grid.steps, membersDropName(group));
  noteHistograms(group, call);
  const buffer = new Float64Array(group.members.length);
  for (let step = 0; step < call.grid.steps; step++) {
    let count = 0;
    for (const { values, kinds } of group.members) {
      if (kinds[step] === FLOAT) buffer[count++] = values[step] as number;
    }
    if (count > 0) out.setFloat(step, quantileOf(call.param?.[step] as number, buffer.subarray(0, count)));
    if (call.context.tired(10 * group.members.length)) await call.context.breathe();
  }
  return out;
};

/** These aggregations have no meaning for histograms and leave them out. */
function noteHistograms({ members }: Group, { context, expr }: AggregateCall): void {
  if (members.some(({ histograms, kinds }) => histograms && kinds.includes(HISTOGRAM))) {
    context.annotations.info(expr.expr.range, NOTES.ignoredInAggregation(expr.op));
  }
}

import { NOTES } from "../annotations.ts";
import { copySample } from "../eval/merge-series.ts";
import { ABSENT, FLOAT, HISTOGRAM, StepSeries } from "../eval/step-series.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { formatGeneral } from "../format/format-float.ts";
import type { AggregateCall } from "./aggregator.ts";
import type { Group } from "./grouping.ts";
import { hashLabels } from "./hash-labels.ts";

/** The members of a group that an aggregation lets through at a step, in the order they are to be shown. */
type Chooser = (group: Group, step: number, param: number, call: AggregateCall) => StepSeries[];

/** `topk`, `bottomk`, `limitk` and `limit_ratio`: some of the series themselves, chosen anew at every step. */
export async function chooseMembers(groups: readonly Group[], call: AggregateCall): Promise<StepSeries[]> {
  const { expr, grid } = call;
  const params = call.param as Float64Array;
  const choose = CHOOSERS.get(expr.op) as Chooser;
  if (expr.op === "limit_ratio" ? !checkRatios(params, call) : !checkCounts(params)) return [];
  const chosen = new Map<StepSeries, StepSeries>();
  for (const group of groups) {
    for (let step = 0; step < grid.steps; step++) {
      for (const member of choose(group, step, params[step] as number, call)) {
        let out = chosen.get(member);
        if (!out) {
          out = StepSeries.empty(member.labels, grid.steps, member.dropName);
          chosen.set(member, out);
        }
        copySample(member, out, step);
      }
      if (call.context.tired(group.members.length)) await call.context.breathe();
    }
  }
  return [...chosen.values()];
}

const CHOOSERS: ReadonlyMap<string, Chooser> = new Map<string, Chooser>([
  ["topk", (group, step, k, call) => extremes(group, step, k, call, 1)],
  ["bottomk", (group, step, k, call) => extremes(group, step, k, call, -1)],
  ["limitk", firstMembers],
  ["limit_ratio", sampledMembers],
]);

const INT64 = 2 ** 63;

/** False when no step lets anything through. */
function checkCounts(counts: Float64Array): boolean {
  if (counts.every((count) => count < 1)) return false;
  for (const count of counts) {
    if (Number.isNaN(count)) throw new EvaluationError("Parameter value is NaN");
    if (count <= -INT64) throw new EvaluationError(`Scalar value ${formatGeneral(count)} underflows int64`);
    if (count >= INT64) throw new EvaluationError(`Scalar value ${formatGeneral(count)} overflows int64`);
  }
  return true;
}

function checkRatios(ratios: Float64Array, { context, expr }: AggregateCall): boolean {
  if (ratios.every((ratio) => ratio === 0)) return false;
  if (ratios.some((ratio) => Number.isNaN(ratio))) throw new EvaluationError("Ratio value is NaN");
  const most = ratios.reduce((a, b) => Math.max(a, b));
  const least = ratios.reduce((a, b) => Math.min(a, b));
  const { range } = expr.param ?? expr;
  if (most > 1) context.annotations.warn(range, NOTES.invalidRatio(most, 1));
  if (least < -1) context.annotations.warn(range, NOTES.invalidRatio(least, -1));
  return true;
}

/** The largest (`sign` 1) or smallest `k` floats, best first, NaN last; of equals, the earlier series. */
function extremes(group: Group, step: number, k: number, call: AggregateCall, sign: 1 | -1): StepSeries[] {
  const count = Math.trunc(k);
  const best: StepSeries[] = [];
  if (count < 1) return best;
  for (const member of group.members) {
    const kind = member.kinds[step];
    if (kind === HISTOGRAM) {
      call.context.annotations.info(call.expr.range, NOTES.ignoredInAggregation(call.expr.op));
    }
    if (kind === FLOAT) insert(best, member, step, count, sign);
  }
  return best;
}

/** Keeps `best` sorted and no longer than `count`. */
function insert(best: StepSeries[], member: StepSeries, step: number, count: number, sign: 1 | -1): void {
  const value = member.values[step] as number;
  const isBetter = (other: StepSeries) => compareNanLast(value, other.values[step] as number, sign) > 0;
  if (best.length === count && !isBetter(best[count - 1] as StepSeries)) return;
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBetter(best[middle] as StepSeries)) high = middle;
    else low = middle + 1;
  }
  if (best.length === count) best.pop();
  best.splice(low, 0, member);
}

/** Above zero when `a` is better than `b`. */
function compareNanLast(a: number, b: number, sign: 1 | -1): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return (Number.isNaN(b) ? 1 : 0) - (Number.isNaN(a) ? 1 : 0);
  return a === b ? 0 : a > b ? sign : -sign;
}

function firstMembers({ members }: Group, step: number, k: number): StepSeries[] {
  const count = Math.trunc(k);
  const chosen: StepSeries[] = [];
  for (const member of members) {
    if (chosen.length >= count) break;
    if (member.kinds[step] !== ABSENT) chosen.push(member);
  }
  return chosen;
}

/**
 * A share of the members, always the same ones as their labels decide; a negative ratio gives the others: those of
 * `limit_ratio(r)` and of `limit_ratio(r - 1)` together are all.
 */
function sampledMembers({ members }: Group, step: number, ratio: number): StepSeries[] {
  return members.filter(({ kinds, labels }) => {
    if (kinds[step] === ABSENT || ratio === 0) return false;
    const offset = hashLabels(labels);
    return ratio > 0 ? offset < ratio : offset >= 1 + ratio;
  });
}

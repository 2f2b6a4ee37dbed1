import { compareLabels } from "@sightline/model/labels.ts";
import type { VectorAggregationExpr, VectorOperation } from "../ast.ts";
import { groupSeries, type SeriesGroup } from "./group-labels.ts";
import type { QueryBudget } from "./query-budget.ts";
import { emptySeries, type StepSeries } from "./step-series.ts";

type Fold = (value: number, next: number) => number;

/** Operations whose result so far is one number. */
const FOLDS: ReadonlyMap<VectorOperation, Fold> = new Map<VectorOperation, Fold>([
  ["sum", (sum, next) => sum + next],
  ["max", (max, next) => (max < next || Number.isNaN(max) ? next : max)],
  ["min", (min, next) => (min > next || Number.isNaN(min) ? next : min)],
]);

/** A vector aggregation at every step, with the arithmetic of Loki's VectorAggEvaluator in its order. */
export async function aggregate(
  expr: VectorAggregationExpr,
  input: readonly StepSeries[],
  budget: QueryBudget,
): Promise<StepSeries[]> {
  const { op, parameter, grouping } = expr;
  const groups = groupSeries(input, grouping);
  const result: StepSeries[] = [];
  for (const group of groups) {
    const steps = group.members[0]?.values.length ?? 0;
    budget.hold(steps);
    if (op === "sort" || op === "sort_desc") result.push(...sorted(group.members, op === "sort_desc"));
    else if (op === "topk" || op === "bottomk" || op === "approx_topk") {
      result.push(...(await choose(group.members, parameter, op !== "bottomk", budget)));
    } else {
      result.push(fold(group, op, steps));
    }
    await budget.worked(steps * group.members.length);
  }
  return result;
}

function fold({ labels, members }: SeriesGroup, op: VectorOperation, steps: number): StepSeries {
  const combine = FOLDS.get(op);
  const result = emptySeries(labels, steps);
  if (combine) {
    for (const member of members) foldInto(result, member, combine);
    return result;
  }
  const moments = new Moments(steps);
  for (const member of members) moments.add(member);
  moments.write(result, op);
  return result;
}

function foldInto({ values, present }: StepSeries, member: StepSeries, combine: Fold): void {
  for (let step = 0; step < values.length; step++) {
    if (!member.present[step]) continue;
    const value = member.values[step] as number;
    values[step] = present[step] ? combine(values[step] as number, value) : value;
    present[step] = 1;
  }
}

/** Counts, means and sums of squared differences (Welford's algorithm) at every step. */
class Moments {
  readonly #counts: Float64Array;
  readonly #means: Float64Array;
  readonly #averages: Float64Array;
  readonly #squares: Float64Array;

  constructor(steps: number) {
    this.#counts = new Float64Array(steps);
    this.#means = new Float64Array(steps);
    this.#averages = new Float64Array(steps);
    this.#squares = new Float64Array(steps);
  }

  add({ values, present }: StepSeries): void {
    for (let step = 0; step < values.length; step++) {
      if (!present[step]) continue;
      const value = values[step] as number;
      const count = (this.#counts[step] as number) + 1;
      this.#counts[step] = count;
      if (count === 1) {
        this.#means[step] = value;
        this.#averages[step] = value;
        continue;
      }
      const mean = this.#means[step] as number;
      const delta = value - mean;
      this.#means[step] = mean + delta / count;
      this.#squares[step] = (this.#squares[step] as number) + delta * (value - (this.#means[step] as number));
      this.#average(step, value, count);
    }
  }

  /** An infinite average stays what it is, unless it meets an infinity of the other sign, or NaN. */
  #average(step: number, value: number, count: number): void {
    const average = this.#averages[step] as number;
    const isKept = Math.abs(average) === Number.POSITIVE_INFINITY && (Number.isFinite(value) || value === average);
    if (!isKept) this.#averages[step] = average + (value - average) / count;
  }

  write({ values, present }: StepSeries, op: VectorOperation): void {
    for (let step = 0; step < values.length; step++) {
      const count = this.#counts[step] as number;
      if (count === 0) continue;
      const variance = (this.#squares[step] as number) / count;
      if (op === "count") values[step] = count;
      else if (op === "avg") values[step] = this.#averages[step] as number;
      else values[step] = op === "stddev" ? Math.sqrt(variance) : variance;
      present[step] = 1;
    }
  }
}

/** By the values of the first step: it matters to instant queries only. NaN comes last. */
function sorted(members: readonly StepSeries[], descending: boolean): StepSeries[] {
  const value = (series: StepSeries) => series.values[0] as number;
  return [...members].sort((a, b) => compareValues(value(a), value(b), descending));
}

function compareValues(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return descending ? b - a || 0 : a - b || 0;
}

/** At each step the `count` largest or smallest; NaN is chosen last. They come in the order of the first step's values. */
async function choose(
  members: readonly StepSeries[],
  count: number,
  largest: boolean,
  budget: QueryBudget,
): Promise<StepSeries[]> {
  const steps = members[0]?.values.length ?? 0;
  const chosen = new Map<StepSeries, StepSeries>();
  // Of equal values those come first whose labels do.
  const ordered = [...members].sort((a, b) => compareLabels(a.labels, b.labels));
  for (let step = 0; step < steps; step++) {
    const candidates = ordered.filter(({ present }) => present[step] === 1);
    const value = (series: StepSeries) => series.values[step] as number;
    candidates.sort((a, b) => compareValues(value(a), value(b), largest));
    for (const member of candidates.slice(0, count)) {
      let result = chosen.get(member);
      if (!result) {
        budget.hold(steps);
        result = emptySeries(member.labels, steps);
        chosen.set(member, result);
      }
      result.values[step] = value(member);
      result.present[step] = 1;
    }
    await budget.worked(members.length);
  }
  return [...chosen.values()];
}

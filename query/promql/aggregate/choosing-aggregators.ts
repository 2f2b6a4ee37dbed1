import type { Labels } from "@sightline/model/labels.ts";
import { NOTES } from "../annotations.ts";
import { copySample } from "../eval/merge-series.ts";
import { ABSENT, HISTOGRAM, StepSeries } from "../eval/step-series.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { formatGeneral } from "../format/format-float.ts";
import type { AggregateCall, GroupAggregator } from "./aggregator.ts";
import { hashLabels } from "./hash-labels.ts";

/** What a member came with, and the series of those of its samples that are let through. */
type Candidate = { readonly labels: Labels; readonly dropName: boolean; out: StepSeries | undefined };
type Ranked = { readonly candidate: Candidate; readonly value: number };

/** `topk` (`sign` 1) and `bottomk` (`sign` -1): the best floats of each step, chosen anew at every step. */
export class RankingAggregator implements GroupAggregator {
  readonly #call: AggregateCall;
  readonly #sign: 1 | -1;
  readonly #counts: Float64Array;
  /** By step; best first, NaN last, of equals the earlier member first. */
  readonly #best: (Ranked[] | undefined)[];

  constructor(call: AggregateCall, sign: 1 | -1) {
    this.#call = call;
    this.#sign = sign;
    this.#counts = (call.param as Float64Array).map(Math.trunc);
    this.#best = new Array(call.grid.steps);
  }

  add({ labels, dropName, values, kinds }: StepSeries): void {
    let candidate: Candidate | undefined;
    for (let step = 0; step < kinds.length; step++) {
      const kind = kinds[step];
      const count = this.#counts[step] as number;
      if (kind === ABSENT || !(count >= 1)) continue;
      if (kind === HISTOGRAM) {
        const { context, expr } = this.#call;
        context.annotations.info(expr.range, NOTES.ignoredInAggregation(expr.op));
        continue;
      }
      const value = values[step] as number;
      const best = this.#best[step];
      if (best && best.length >= count && !this.#isBetter(value, (best[best.length - 1] as Ranked).value)) continue;
      candidate ??= { labels, dropName, out: undefined };
      if (!best) {
        this.#best[step] = [{ candidate, value }];
        continue;
      }
      if (best.length >= count) best.pop();
      best.splice(this.#placeOf(value, best), 0, { candidate, value });
    }
  }

  #placeOf(value: number, best: readonly Ranked[]): number {
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#isBetter(value, (best[middle] as Ranked).value)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #isBetter(a: number, b: number): boolean {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(b) && !Number.isNaN(a);
    return this.#sign === 1 ? a > b : a < b;
  }

  finish(): StepSeries[] {
    const results: StepSeries[] = [];
    for (let step = 0; step < this.#best.length; step++) {
      for (const { candidate, value } of this.#best[step] ?? []) {
        let { out } = candidate;
        if (!out) {
          this.#call.context.hold(this.#best.length);
          out = StepSeries.empty(candidate.labels, this.#best.length, candidate.dropName);
          candidate.out = out;
          results.push(out);
        }
        out.setFloat(step, value);
      }
    }
    return results;
  }
}

/** Members of which samples were let through, in the order of the first step and then as they came. */
class ChosenMembers {
  readonly #call: AggregateCall;
  readonly #chosen: { readonly firstStep: number; readonly out: StepSeries }[] = [];

  constructor(call: AggregateCall) {
    this.#call = call;
  }

  add(member: StepSeries, isChosen: (step: number) => boolean): void {
    let out: StepSeries | undefined;
    for (let step = 0; step < member.kinds.length; step++) {
      if (member.kinds[step] === ABSENT || !isChosen(step)) continue;
      if (!out) {
        this.#call.context.hold(member.kinds.length);
        out = StepSeries.empty(member.labels, member.kinds.length, member.dropName);
        this.#chosen.push({ firstStep: step, out });
      }
      copySample(member, out, step);
    }
  }

  inOrder(): StepSeries[] {
    return this.#chosen.sort((a, b) => a.firstStep - b.firstStep).map(({ out }) => out);
  }
}

/** `limitk`: the first members that have a sample. */
export class LimitAggregator implements GroupAggregator {
  readonly #left: Float64Array;
  readonly #chosen: ChosenMembers;

  constructor(call: AggregateCall) {
    this.#left = (call.param as Float64Array).map(Math.trunc);
    this.#chosen = new ChosenMembers(call);
  }

  add(member: StepSeries): void {
    const left = this.#left;
    this.#chosen.add(member, (step) => {
      const count = left[step] as number;
      if (!(count >= 1)) return false;
      left[step] = count - 1;
      return true;
    });
  }

  finish(): StepSeries[] {
    return this.#chosen.inOrder();
  }
}

/**
 * `limit_ratio`: a share of the members, always the same ones as their labels decide; a negative ratio gives the
 * others: those of `limit_ratio(r)` and of `limit_ratio(r - 1)` together are all.
 */
export class RatioAggregator implements GroupAggregator {
  readonly #ratios: Float64Array;
  readonly #chosen: ChosenMembers;

  constructor(call: AggregateCall) {
    this.#ratios = call.param as Float64Array;
    this.#chosen = new ChosenMembers(call);
  }

  add(member: StepSeries): void {
    const offset = hashLabels(member.labels);
    this.#chosen.add(member, (step) => {
      const ratio = this.#ratios[step] as number;
      if (ratio === 0) return false;
      return ratio > 0 ? offset < ratio : offset >= 1 + ratio;
    });
  }

  finish(): StepSeries[] {
    return this.#chosen.inOrder();
  }
}

const INT64 = 2 ** 63;

/** The parameter of `topk`, `bottomk` and `limitk`. Throws {@link EvaluationError}; false when nothing is let through. */
export function checkCounts({ param }: AggregateCall): boolean {
  const counts = param as Float64Array;
  if (counts.every((count) => count < 1)) return false;
  for (const count of counts) {
    if (Number.isNaN(count)) throw new EvaluationError("Parameter value is NaN");
    if (count <= -INT64) throw new EvaluationError(`Scalar value ${formatGeneral(count)} underflows int64`);
    if (count >= INT64) throw new EvaluationError(`Scalar value ${formatGeneral(count)} overflows int64`);
  }
  return true;
}

/** That of `limit_ratio`. */
export function checkRatios({ context, expr, param }: AggregateCall): boolean {
  const ratios = param as Float64Array;
  if (ratios.every((ratio) => ratio === 0)) return false;
  if (ratios.some((ratio) => Number.isNaN(ratio))) throw new EvaluationError("Ratio value is NaN");
  const most = ratios.reduce((a, b) => Math.max(a, b));
  const least = ratios.reduce((a, b) => Math.min(a, b));
  const { range } = expr.param ?? expr;
  if (most > 1) context.annotations.warn(range, NOTES.invalidRatio(most, 1));
  if (least < -1) context.annotations.warn(range, NOTES.invalidRatio(least, -1));
  return true;
}

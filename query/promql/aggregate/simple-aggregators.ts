import type { Labels } from "@sightline/model/labels.ts";
import { NOTES } from "../annotations.ts";
import { ABSENT, FLOAT, HISTOGRAM, StepSeries } from "../eval/step-series.ts";
import type { AggregateCall, GroupAggregator } from "./aggregator.ts";

/** `count`, of floats and histograms alike. */
export class CountAggregator implements GroupAggregator {
  readonly #out: StepSeries;

  constructor(labels: Labels, { grid }: AggregateCall) {
    this.#out = StepSeries.empty(labels, grid.steps);
  }

  add({ kinds, dropName }: StepSeries): void {
    const out = this.#out;
    if (dropName) out.dropName = true;
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] !== ABSENT) out.setFloat(step, (out.values[step] as number) + 1);
    }
  }

  finish(): StepSeries[] {
    return [this.#out];
  }
}

/** `group`: 1 where there is anything. */
export class PresenceAggregator implements GroupAggregator {
  readonly #out: StepSeries;

  constructor(labels: Labels, { grid }: AggregateCall) {
    this.#out = StepSeries.empty(labels, grid.steps);
  }

  add({ kinds, dropName }: StepSeries): void {
    if (dropName) this.#out.dropName = true;
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== ABSENT) this.#out.setFloat(step, 1);
  }

  finish(): StepSeries[] {
    return [this.#out];
  }
}

/** `max` (`sign` 1) and `min` (`sign` -1) of the floats; NaN only where there is nothing else. */
export class ExtremeAggregator implements GroupAggregator {
  readonly #call: AggregateCall;
  readonly #sign: 1 | -1;
  readonly #out: StepSeries;

  constructor(labels: Labels, call: AggregateCall, sign: 1 | -1) {
    this.#call = call;
    this.#sign = sign;
    this.#out = StepSeries.empty(labels, call.grid.steps);
  }

  add(member: StepSeries): void {
    const { values: best, kinds } = this.#out;
    const { values, kinds: memberKinds } = member;
    const sign = this.#sign;
    if (member.dropName) this.#out.dropName = true;
    noteHistograms(member, this.#call);
    for (let step = 0; step < best.length; step++) {
      if (memberKinds[step] !== FLOAT) continue;
      const value = values[step] as number;
      const known = best[step] as number;
      if (kinds[step] === FLOAT && !(sign * value > sign * known || Number.isNaN(known))) continue;
      best[step] = value;
      kinds[step] = FLOAT;
    }
  }

  finish(): StepSeries[] {
    return [this.#out];
  }
}

/** `stdvar` and `stddev`: Welford's method over the floats of each step. */
export class VarianceAggregator implements GroupAggregator {
  readonly #call: AggregateCall;
  readonly #finish: (variance: number) => number;
  /** Its values are the sums of squared distances from the mean. */
  readonly #out: StepSeries;
  readonly #counts: Float64Array;
  readonly #means: Float64Array;

  constructor(labels: Labels, call: AggregateCall, finish: (variance: number) => number) {
    this.#call = call;
    this.#finish = finish;
    this.#out = StepSeries.empty(labels, call.grid.steps);
    this.#counts = new Float64Array(call.grid.steps);
    this.#means = new Float64Array(call.grid.steps);
  }

  add(member: StepSeries): void {
    const { values: squares } = this.#out;
    const { values, kinds } = member;
    if (member.dropName) this.#out.dropName = true;
    noteHistograms(member, this.#call);
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] !== FLOAT) continue;
      const value = values[step] as number;
      const count = (this.#counts[step] as number) + 1;
      this.#counts[step] = count;
      if (count === 1) {
        this.#means[step] = value;
        this.#out.setFloat(step, Number.isFinite(value) ? 0 : Number.NaN);
        continue;
      }
      const delta = value - (this.#means[step] as number);
      const mean = (this.#means[step] as number) + delta / count;
      this.#means[step] = mean;
      squares[step] = (squares[step] as number) + delta * (value - mean);
    }
  }

  finish(): StepSeries[] {
    const { values, kinds } = this.#out;
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] === FLOAT) values[step] = this.#finish((values[step] as number) / (this.#counts[step] as number));
    }
    return [this.#out];
  }
}

/** These aggregations have no meaning for histograms and leave them out. */
export function noteHistograms({ histograms, kinds }: StepSeries, { context, expr }: AggregateCall): void {
  if (histograms && kinds.includes(HISTOGRAM)) {
    context.annotations.info(expr.expr.range, NOTES.ignoredInAggregation(expr.op));
  }
}

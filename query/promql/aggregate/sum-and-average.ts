import type { Labels } from "@sightline/model/labels.ts";
import { compensated } from "../eval/neumaier.ts";
import { FLOAT, StepSeries } from "../eval/step-series.ts";
import type { AggregateCall, GroupAggregator } from "./aggregator.ts";
import { HistogramSums } from "./histogram-sums.ts";
import { HistogramMean, HistogramTotal } from "./histogram-total.ts";

/** `sum`, compensated (aggregation in Prometheus' promql/engine.go). */
export class SumAggregator implements GroupAggregator {
  readonly #call: AggregateCall;
  readonly #out: StepSeries;
  /** From the second member on. */
  #compensations: Float64Array | undefined;
  #histograms: HistogramSums | undefined;
  #isEmpty = true;
  /** Between these the sum has floats at every step. */
  #solidFrom = 0;
  #solidTo = 0;

  constructor(labels: Labels, call: AggregateCall) {
    this.#call = call;
    this.#out = StepSeries.empty(labels, call.grid.steps);
  }

  add(member: StepSeries): void {
    const out = this.#out;
    if (member.dropName) out.dropName = true;
    const { solidFrom, solidTo } = member;
    const isFirst = this.#isEmpty;
    this.#isEmpty = false;
    if (isFirst && solidFrom < solidTo) {
      copySolid(member.values, solidFrom, solidTo, out);
      this.#solidFrom = solidFrom;
      this.#solidTo = solidTo;
      return;
    }
    this.#compensations ??= new Float64Array(out.values.length);
    if (solidFrom < solidTo && solidFrom >= this.#solidFrom && solidTo <= this.#solidTo) {
      addSolid(member.values, solidFrom, solidTo, out.values, this.#compensations);
      return;
    }
    addFloats(member, out.values, this.#compensations, out.kinds);
    if (solidTo - solidFrom > this.#solidTo - this.#solidFrom) {
      this.#solidFrom = solidFrom;
      this.#solidTo = solidTo;
    }
    if (!member.histograms) return;
    this.#histograms ??= new HistogramSums(this.#call, () => new HistogramTotal());
    this.#histograms.add(member);
  }

  finish(): StepSeries[] {
    if (this.#compensations) addAll(this.#compensations, this.#out.values);
    this.#histograms?.finish(this.#out);
    return [this.#out];
  }
}

/** What a sum of one member is: -0 and the compensation, which is 0, make 0. */
function copySolid(values: Float64Array, from: number, to: number, { values: sums, kinds }: StepSeries): void {
  for (let step = from; step < to; step++) sums[step] = (values[step] as number) + 0;
  kinds.fill(FLOAT, from, to);
}

function addAll(compensations: Float64Array, sums: Float64Array): void {
  for (let step = 0; step < sums.length; step++) {
    sums[step] = (sums[step] as number) + (compensations[step] as number);
  }
}

/** {@link addFloats} where both have floats. */
function addSolid(
  values: Float64Array,
  from: number,
  to: number,
  sums: Float64Array,
  compensations: Float64Array,
): void {
  for (let step = from; step < to; step++) {
    step = addFinite(values, step, to, sums, compensations);
    if (step >= to) return;
    const value = values[step] as number;
    const sum = sums[step] as number;
    compensations[step] = compensated(compensations[step] as number, sum, value, sum + value);
    sums[step] = sum + value;
  }
}

/**
 * As long as sums are finite; gives the first step where they are not. Has {@link compensated} written out, as V8 looks
 * again where the arrays are after every call: without any it takes half of the time.
 */
function addFinite(
  values: Float64Array,
  from: number,
  to: number,
  sums: Float64Array,
  compensations: Float64Array,
): number {
  for (let step = from; step < to; step++) {
    const value = values[step] as number;
    const sum = sums[step] as number;
    const total = sum + value;
    if (total - total !== 0) return step;
    const error = Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
    compensations[step] = (compensations[step] as number) + error;
    sums[step] = total;
  }
  return to;
}

function addFloats(
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

/** `avg`: the plain mean as long as the sum does not overflow, from there on the incremental one; compensated. */
export class AverageAggregator implements GroupAggregator {
  readonly #call: AggregateCall;
  /** Its values are the sum, or the mean at steps that are incremental. */
  readonly #out: StepSeries;
  readonly #compensations: Float64Array;
  readonly #counts: Float64Array;
  readonly #incremental: Uint8Array;
  #isAnyIncremental = false;
  #histograms: HistogramSums | undefined;

  constructor(labels: Labels, call: AggregateCall) {
    const { steps } = call.grid;
    this.#call = call;
    this.#out = StepSeries.empty(labels, steps);
    this.#compensations = new Float64Array(steps);
    this.#counts = new Float64Array(steps);
    this.#incremental = new Uint8Array(steps);
  }

  add(member: StepSeries): void {
    const { values, kinds, solidFrom, solidTo } = member;
    if (member.dropName) this.#out.dropName = true;
    if (solidFrom < solidTo && !this.#isAnyIncremental) {
      this.#addSolid(values, solidFrom, solidTo);
      return;
    }
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] === FLOAT) this.#addOne(step, values[step] as number);
    }
    if (!member.histograms) return;
    this.#histograms ??= new HistogramSums(this.#call, () => new HistogramMean());
    this.#histograms.add(member);
  }

  /** The member has floats at all of these steps. What nothing was added to yet is 0, as is its compensation. */
  #addSolid(values: Float64Array, from: number, to: number): void {
    const { values: sums, kinds } = this.#out;
    for (let step = from; step < to; step++) {
      const begin = step;
      step = addFinite(values, step, to, sums, this.#compensations);
      countUp(this.#counts, begin, step);
      if (step < to) this.#addOne(step, values[step] as number);
    }
    kinds.fill(FLOAT, from, to);
  }

  #addOne(step: number, value: number): void {
    const count = (this.#counts[step] as number) + 1;
    this.#counts[step] = count;
    if (count === 1) this.#out.setFloat(step, value);
    else this.#addAt(step, value, count);
  }

  #addAt(step: number, value: number, count: number): void {
    const { values } = this.#out;
    const compensations = this.#compensations;
    if (this.#incremental[step] === 0) {
      const total = values[step] as number;
      const next = total + value;
      if (next !== Number.POSITIVE_INFINITY && next !== Number.NEGATIVE_INFINITY) {
        compensations[step] = compensated(compensations[step] as number, total, value, next);
        values[step] = next;
        return;
      }
      this.#incremental[step] = 1;
      this.#isAnyIncremental = true;
      values[step] = total / (count - 1);
      compensations[step] = (compensations[step] as number) / (count - 1);
    }
    const share = (count - 1) / count;
    const before = share * (values[step] as number);
    const added = value / count;
    const mean = before + added;
    compensations[step] = compensated(share * (compensations[step] as number), before, added, mean);
    values[step] = mean;
  }

  finish(): StepSeries[] {
    const { values, kinds } = this.#out;
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] !== FLOAT) continue;
      const compensation = this.#compensations[step] as number;
      const count = this.#incremental[step] === 1 ? 1 : (this.#counts[step] as number);
      values[step] = (values[step] as number) / count + compensation / count;
    }
    this.#histograms?.finish(this.#out);
    return [this.#out];
  }
}

function countUp(counts: Float64Array, from: number, to: number): void {
  for (let step = from; step < to; step++) (counts[step] as number)++;
}

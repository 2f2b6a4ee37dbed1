import type { Labels } from "@sightline/model/labels.ts";
import { FLOAT, StepSeries } from "../eval/step-series.ts";
import type { AggregateCall, GroupAggregator } from "./aggregator.ts";
import { quantileOf } from "./quantile-of.ts";
import { noteHistograms } from "./simple-aggregators.ts";

/** `quantile` of the floats of each step: the only aggregation that must have them all at a time. */
export class QuantileAggregator implements GroupAggregator {
  readonly #call: AggregateCall;
  readonly #out: StepSeries;
  readonly #members: { readonly values: Float64Array; readonly kinds: Uint8Array }[] = [];

  constructor(labels: Labels, call: AggregateCall) {
    this.#call = call;
    this.#out = StepSeries.empty(labels, call.grid.steps);
  }

  add(member: StepSeries): void {
    this.#call.context.hold(member.kinds.length);
    if (member.dropName) this.#out.dropName = true;
    noteHistograms(member, this.#call);
    this.#members.push({ values: member.values.slice(), kinds: member.kinds.slice() });
  }

  async finish(): Promise<StepSeries[]> {
    const { context, grid, param } = this.#call;
    const buffer = new Float64Array(this.#members.length);
    for (let step = 0; step < grid.steps; step++) {
      const quantile = param?.[step] as number;
      if (!(quantile >= 0 && quantile <= 1)) {
        // Whatever the values are.
        const hasAny = this.#members.some(({ kinds }) => kinds[step] === FLOAT);
        if (hasAny) this.#out.setFloat(step, quantileOf(quantile, Float64Array.of(0)));
        if (context.tired(10)) await context.breathe();
        continue;
      }
      let count = 0;
      for (const { values, kinds } of this.#members) {
        if (kinds[step] === FLOAT) buffer[count++] = values[step] as number;
      }
      if (count > 0) this.#out.setFloat(step, quantileOf(quantile, buffer.subarray(0, count)));
      if (context.tired(10 * this.#members.length)) await context.breathe();
    }
    return [this.#out];
  }
}

import { NOTES } from "../annotations.ts";
import { metricName } from "../eval/result-labels.ts";
import { FLOAT, HISTOGRAM, type StepSeries } from "../eval/step-series.ts";
import { IncompatibleSchemasError } from "../histogram/histogram-accumulator.ts";
import type { AggregateCall } from "./aggregator.ts";
import type { HistogramMean, HistogramTotal } from "./histogram-total.ts";

type Total = HistogramTotal | HistogramMean;

/** The native histograms among the members of a group: a total at each step that has some. */
export class HistogramSums {
  readonly #call: AggregateCall;
  readonly #makeTotal: () => Total;
  readonly #totals: (Total | undefined)[];
  /** The metric of the first histogram that could not be added, by step. */
  readonly #failures = new Map<number, string>();

  constructor(call: AggregateCall, makeTotal: () => Total) {
    this.#call = call;
    this.#makeTotal = makeTotal;
    this.#totals = new Array(call.grid.steps);
  }

  add(member: StepSeries): void {
    for (let step = 0; step < member.kinds.length; step++) {
      if (member.kinds[step] !== HISTOGRAM || this.#failures.has(step)) continue;
      let total = this.#totals[step];
      if (!total) {
        total = this.#makeTotal();
        this.#totals[step] = total;
      }
      try {
        total.add(member.histogramAt(step));
      } catch (error) {
        if (!(error instanceof IncompatibleSchemasError)) throw error;
        this.#failures.set(step, metricName(member.labels));
      }
    }
  }

  /** Puts the totals into `out`, which has the floats of the group: with both at a step there is no result. */
  finish(out: StepSeries): void {
    const { annotations } = this.#call.context;
    const { range } = this.#call.expr.expr;
    for (let step = 0; step < out.kinds.length; step++) {
      const total = this.#totals[step];
      if (!total) continue;
      const failure = this.#failures.get(step);
      if (out.kinds[step] === FLOAT) {
        annotations.warn(range, NOTES.mixedFloatsHistogramsInAggregation());
        out.clear(step);
      } else if (failure !== undefined) {
        annotations.warn(range, NOTES.mixedSchemas(failure));
      } else {
        if (total.boundsReconciled) annotations.info(range, NOTES.mismatchedCustomBuckets("aggregation"));
        if (total.hasResetCollision) annotations.warn(range, NOTES.resetCollision("aggregation"));
        out.setHistogram(step, total.result());
      }
    }
  }
}

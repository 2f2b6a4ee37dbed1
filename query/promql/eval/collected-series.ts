import type { QueryContext } from "./query-context.ts";
import type { SeriesSink, StepSeries } from "./step-series.ts";

/** Keeps all series it is given, and accounts for them. */
export class CollectedSeries implements SeriesSink {
  readonly keeps = true;
  readonly holds = true;
  readonly series: StepSeries[] = [];
  readonly #context: QueryContext;

  constructor(context: QueryContext) {
    this.#context = context;
  }

  take(series: StepSeries): void {
    this.#context.hold(series.kinds.length);
    this.series.push(series);
  }
}

import { labelValue } from "@sightline/model/labels.ts";
import { type Annotations, NOTES } from "../annotations.ts";
import type { CallExpr, Expr } from "../ast.ts";
import { notedRange } from "./noted-range.ts";
import { metricName } from "./result-labels.ts";
import { FLOAT, type SeriesSink, type StepSeries } from "./step-series.ts";

/** Says of which metrics a `rate` or `increase` was taken though they seem to be no counters, and hands all on. */
export class NonCounterNotes implements SeriesSink {
  readonly keeps: boolean;
  readonly holds: boolean;
  readonly #annotations: Annotations;
  readonly #expr: CallExpr;
  readonly #sink: SeriesSink;
  #lastName = "";
  #lastIsCounter = true;

  constructor(annotations: Annotations, expr: CallExpr, sink: SeriesSink) {
    this.keeps = sink.keeps;
    this.holds = sink.holds;
    this.#annotations = annotations;
    this.#expr = expr;
    this.#sink = sink;
  }

  take(series: StepSeries): void {
    const name = metricName(series.labels);
    if (name !== this.#lastName) {
      this.#lastName = name;
      this.#lastIsCounter = name === "" || /_(total|sum|count|bucket)$/.test(name);
    }
    if (!this.#lastIsCounter && series.kinds.includes(FLOAT)) this.#note(series, name);
    this.#sink.take(series);
  }

  #note({ labels }: StepSeries, name: string): void {
    const range = notedRange(this.#expr.args[0] as Expr);
    const type = labelValue(labels, "__type__");
    if (type === "") this.#annotations.info(range, NOTES.possibleNonCounter(name));
    else if (type !== "counter" && type !== "histogram") {
      this.#annotations.info(range, NOTES.possibleNonCounterLabel(name, type));
    }
  }
}

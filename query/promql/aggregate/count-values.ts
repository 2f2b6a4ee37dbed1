import { quote } from "@sightline/model/go-quote.ts";
import { type Labels, labelsKey } from "@sightline/model/labels.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { withLabel } from "../eval/result-labels.ts";
import { ABSENT, FLOAT, StepSeries } from "../eval/step-series.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { formatFloat } from "../format/format-float.ts";
import { formatHistogram } from "../histogram/format-histogram.ts";
import type { AggregateCall } from "./aggregator.ts";
import { groupLabels } from "./group-index.ts";

/** So many of a label that is written take as long as a look at a sample. */
const CHARACTERS_PER_SAMPLE = 10;

/** `count_values("label", …)`: how many series have which value, one series per value and group. */
export async function countValues(
  series: readonly StepSeries[],
  label: string,
  { context, expr, grid }: AggregateCall,
): Promise<StepSeries[]> {
  if (label === "" || !label.isWellFormed()) throw new EvaluationError(`invalid label name ${quote(label)}`);
  const names = expr.without ? expr.grouping : [...expr.grouping, label];
  const labelsOf = groupLabels(names, expr.without);
  const counts = new Map<string, StepSeries>();
  for (const member of series) {
    const byValue = new Map<string, StepSeries>();
    for (let step = 0; step < grid.steps; step++) {
      if (member.kinds[step] === ABSENT) continue;
      const value =
        member.kinds[step] === FLOAT
          ? formatFloat(member.values[step] as number)
          : formatHistogram(member.histogramAt(step));
      context.holdText(value.length);
      let out = byValue.get(value);
      if (!out) {
        context.holdText(label.length);
        out = countOf(context, counts, labelsOf(withLabel(member.labels, label, value)), grid.steps);
        byValue.set(value, out);
      }
      out.setFloat(step, (out.values[step] as number) + 1);
      // A series per value: there may be as many of them as samples.
      if (context.tired(50 + label.length / CHARACTERS_PER_SAMPLE)) await context.breathe();
    }
  }
  return [...counts.values()];
}

function countOf(context: QueryContext, counts: Map<string, StepSeries>, labels: Labels, steps: number): StepSeries {
  const key = labelsKey(labels);
  let out = counts.get(key);
  if (!out) {
    context.hold(steps);
    out = StepSeries.empty(labels, steps);
    counts.set(key, out);
  }
  return out;
}

import { labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import { compileRegex, type Regex } from "@sightline/model/regex.ts";
import { KEY_WORK, mergeSameLabels } from "../eval/merge-series.ts";
import { withLabel } from "../eval/result-labels.ts";
import type { StepSeries } from "../eval/step-series.ts";
import { EvaluationError } from "../evaluation-error.ts";
import type { FunctionCall, VectorFunction } from "./vector-function.ts";

/** Functions that change labels only. */
export const LABEL_FUNCTIONS: ReadonlyMap<string, VectorFunction> = new Map<string, VectorFunction>([
  ["label_replace", labelReplace],
  ["label_join", labelJoin],
]);

async function labelReplace(call: FunctionCall) {
  const target = call.string(1);
  const replacement = call.string(2);
  const references = replacement.split("$").length - 1;
  const source = call.string(3);
  const regex = compile(call.string(4));
  checkName(target, "destination", "label_replace");
  const results: StepSeries[] = [];
  for (const series of call.vector(0)) {
    const text = labelValue(series.labels, source);
    // Each reference may stand for all of the text.
    call.context.holdText(target.length + replacement.length + references * text.length);
    const value = regex.replaceWhole(text, replacement);
    results.push(value === undefined ? series : relabelled(series, target, value));
    if (call.context.breathless) await call.context.breathe();
  }
  return call.result(await mergeSameLabels(call.context, results));
}

function compile(source: string): Regex {
  try {
    return compileRegex(source);
  } catch (cause) {
    throw new EvaluationError(`invalid regular expression in label_replace(): ${source}`, { cause });
  }
}

async function labelJoin(call: FunctionCall) {
  const target = call.string(1);
  const separator = call.string(2);
  const sources = call.args.slice(3).map((_, index) => call.string(index + 3));
  for (const source of sources) checkName(source, "source", "label_join");
  checkName(target, "destination", "label_join");
  const results: StepSeries[] = [];
  for (const series of call.vector(0)) {
    const texts = sources.map((source) => labelValue(series.labels, source));
    call.context.holdText(texts.reduce((sum, { length }) => sum + length + separator.length, target.length));
    const value = texts.join(separator);
    results.push(relabelled(series, target, value));
    if (call.context.tired(KEY_WORK)) await call.context.breathe();
  }
  return call.result(await mergeSameLabels(call.context, results));
}

/** A name that was set on purpose is kept. */
function relabelled(series: StepSeries, name: string, value: string): StepSeries {
  return series.relabelled(withLabel(series.labels, name, value), name === METRIC_NAME ? false : series.dropName);
}

/** Any text is a label name nowadays, except none. */
function checkName(name: string, role: string, func: string): void {
  if (name === "" || !name.isWellFormed())
    throw new EvaluationError(`invalid ${role} label name in ${func}(): ${name}`);
}

import { type Labels, labelsKey, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import { quoteRegex } from "@sightline/model/regex.ts";
import type { CallExpr, Expr, VectorSelector } from "../ast.ts";
import type { ExprEvaluator } from "../eval/expr-evaluator.ts";
import type { Grid } from "../eval/grid.ts";
import { evaluateInstantSelector } from "../eval/instant-selector.ts";
import { copySample, mergeSameLabels } from "../eval/merge-series.ts";
import { metricName, withLabel } from "../eval/result-labels.ts";
import { ABSENT, StepSeries } from "../eval/step-series.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { formatLabelSet } from "../format/format-label-set.ts";

/** What identifies the target of both a series and its info metric. */
const IDENTIFYING = ["instance", "job"];

/**
 * `info(v, {…})`: adds the labels of info metrics (`target_info` unless the selector names others) of the same target
 * to each series (Prometheus' promql/info.go).
 */
export async function evaluateInfo(evaluator: ExprEvaluator, expr: CallExpr, grid: Grid): Promise<StepSeries[]> {
  const { context } = evaluator;
  const base = await evaluator.vector(expr.args[0] as Expr, grid);
  const matchers = (expr.args[1] as VectorSelector | undefined)?.matchers ?? [];
  const nameMatchers = effectiveNameMatchers(matchers.filter(({ name }) => name === METRIC_NAME));
  const dataMatchers = matchers.filter(({ name }) => name !== METRIC_NAME);
  const isInfo = compileAll(nameMatchers);
  const enrichable = base.filter(({ labels }) => !isInfo(metricName(labels)));
  const targetMatchers = identifyingMatchers(enrichable);
  const selector: VectorSelector = {
    kind: "vector",
    name: "",
    matchers: [...targetMatchers, ...nameMatchers, ...dataMatchers],
    range: expr.range,
    ...lookOf(expr.args[0] as Expr),
  };
  const info = targetMatchers.length === 0 ? [] : await evaluateInstantSelector(context, selector, grid, "info-time");
  const enricher = new Enricher(info, dataMatchers, grid);
  const results: StepSeries[] = [];
  for (const series of base) {
    if (isInfo(metricName(series.labels))) results.push(series);
    else results.push(...enricher.enrich(series));
    if (context.breathless) await context.breathe();
  }
  return mergeSameLabels(context, results);
}

/** Excluding names only still means info metrics. */
function effectiveNameMatchers(matchers: readonly Matcher[]): readonly Matcher[] {
  if (matchers.length === 0) return [{ name: METRIC_NAME, op: "=", value: "target_info" }];
  if (matchers.some(({ op }) => op === "=" || op === "=~")) return matchers;
  return [{ name: METRIC_NAME, op: "=~", value: ".+_info" }, ...matchers];
}

function compileAll(matchers: readonly Matcher[]): (value: string) => boolean {
  const tests = matchers.map(compileMatcher);
  return (value) => tests.every((test) => test(value));
}

function identifyingMatchers(series: readonly StepSeries[]): Matcher[] {
  return IDENTIFYING.flatMap((name): Matcher[] => {
    const values = new Set(series.map(({ labels }) => labelValue(labels, name)));
    values.delete("");
    if (values.size === 0) return [];
    const source = [...values].map(quoteRegex).join("|");
    return [{ name, op: "=~", value: source }];
  });
}

/** The info metrics are looked at when the first selector of the argument is: its `@` and the offsets around it. */
function lookOf(expr: Expr): Pick<VectorSelector, "offset" | "at"> {
  const found = firstSelector(expr);
  return found ?? { offset: 0 };
}

type Look = Pick<VectorSelector, "offset" | "at">;

function firstSelector(expr: Expr): Look | undefined {
  switch (expr.kind) {
    case "vector":
      return look(expr);
    case "matrix":
      return look(expr.vector);
    case "subquery": {
      const inner = firstSelector(expr.expr);
      if (!inner || inner.at !== undefined) return inner;
      return look({ ...expr, offset: Number(inner.offset) + Number(expr.offset) });
    }
    case "aggregate":
    case "unary":
    case "paren":
    case "invariant":
      return firstSelector(expr.expr);
    case "binary":
      return firstSelector(expr.left) ?? firstSelector(expr.right);
    case "call":
      for (const arg of expr.args) {
        const inner = firstSelector(arg);
        if (inner) return inner;
      }
      return undefined;
    default:
      return undefined;
  }
}

function look({ offset, at }: Look): Look {
  return at === undefined ? { offset } : { offset, at };
}

class Enricher {
  readonly #grid: Grid;
  readonly #dataNames: ReadonlySet<string>;
  readonly #mayLack: boolean;
  /** Info series by metric name and target. */
  readonly #byTarget = new Map<string, Map<string, StepSeries[]>>();

  constructor(info: readonly StepSeries[], dataMatchers: readonly Matcher[], grid: Grid) {
    this.#grid = grid;
    this.#dataNames = new Set(dataMatchers.map(({ name }) => name));
    this.#mayLack = dataMatchers.every((matcher) => compileMatcher(matcher)(""));
    for (const series of info) {
      const name = metricName(series.labels);
      const targets = this.#byTarget.get(name) ?? new Map<string, StepSeries[]>();
      this.#byTarget.set(name, targets);
      const key = targetKey(series.labels);
      targets.set(key, [...(targets.get(key) ?? []), series]);
    }
  }

  /** The series with labels added; several when the info metrics change over time. */
  enrich(series: StepSeries): StepSeries[] {
    const key = targetKey(series.labels);
    const candidates = [...this.#byTarget.values()].flatMap((targets) => {
      const found = targets.get(key);
      return found ? [found] : [];
    });
    const outputs = new Map<string, StepSeries>();
    // Info metrics rarely change, so most steps go where the one before went.
    const current: (StepSeries | undefined)[] = new Array(candidates.length);
    let out: StepSeries | undefined;
    let isKnown = false;
    for (let step = 0; step < this.#grid.steps; step++) {
      if (series.kinds[step] === ABSENT) continue;
      for (const [index, all] of candidates.entries()) {
        const newest = newestAt(all, step);
        if (newest === current[index]) continue;
        current[index] = newest;
        isKnown = false;
      }
      if (!isKnown) {
        out = this.#output(
          series,
          current.filter((found) => found !== undefined),
          outputs,
        );
        isKnown = true;
      }
      if (out) copySample(series, out, step);
    }
    return [...outputs.values()];
  }

  /** Where samples go while these info series are the newest; undefined when they are left out. */
  #output(series: StepSeries, info: readonly StepSeries[], outputs: Map<string, StepSeries>): StepSeries | undefined {
    if (info.length === 0 && !this.#mayLack) return undefined;
    const labels = this.#enriched(series.labels, info);
    const key = labelsKey(labels);
    let out = outputs.get(key);
    if (!out) {
      out = StepSeries.empty(labels, this.#grid.steps, series.dropName);
      outputs.set(key, out);
    }
    return out;
  }

  #enriched(base: Labels, info: readonly StepSeries[]): Labels {
    const own = new Set(base.map(([name]) => name));
    const added = new Map<string, string>();
    for (const { labels } of info) {
      for (const [name, value] of labels) {
        if (name === METRIC_NAME || (this.#dataNames.size > 0 && !this.#dataNames.has(name))) continue;
        const known = added.get(name);
        if (known !== undefined && known !== value) throw new EvaluationError(`conflicting label: ${name}`);
        if (!own.has(name)) added.set(name, value);
      }
    }
    let labels = base;
    for (const [name, value] of added) labels = withLabel(labels, name, value);
    return labels;
  }
}

function targetKey(labels: Labels): string {
  return IDENTIFYING.map((name) => labelValue(labels, name)).join("\u0001");
}

/** Of several info series of one target, the one with the newest sample (their values are its times). */
function newestAt(series: readonly StepSeries[], step: number): StepSeries | undefined {
  let newest: StepSeries | undefined;
  for (const candidate of series) {
    if (candidate.kinds[step] === ABSENT) continue;
    const time = candidate.values[step] as number;
    const best = newest?.values[step] as number | undefined;
    if (newest && time === best) {
      const existing = `${formatLabelSet(newest.labels)} @ ${time * 1000}`;
      throw new EvaluationError(
        `found duplicate series for info metric: existing ${existing}, new ${formatLabelSet(candidate.labels)} @ ${time * 1000}`,
      );
    }
    if (best === undefined || time > best) newest = candidate;
  }
  return newest;
}

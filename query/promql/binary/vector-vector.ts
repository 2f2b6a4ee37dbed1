import { type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import { type BinaryExpr, isArithmetic, type VectorMatching } from "../ast.ts";
import type { Grid } from "../eval/grid.ts";
import { KEY_WORK, mergeSameLabels } from "../eval/merge-series.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { dropLabels, dropMetadata, keepLabels, withLabel } from "../eval/result-labels.ts";
import { ABSENT, FLOAT, StepSeries } from "../eval/step-series.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { formatLabelSet } from "../format/format-label-set.ts";
import { ElementOperator, type Sample } from "./element-operator.ts";
import { ARITHMETIC } from "./scalar-operators.ts";
import { matchLabels, SignatureIndex } from "./signature.ts";

/** The series of one signature: at each step at most one of the "one" side may have a sample. */
type MatchGroup = { readonly many: StepSeries[]; readonly one: StepSeries[] };

/**
 * Arithmetic and comparison of two vectors (VectorBinop in Prometheus' promql/engine.go), match group by match group
 * and all steps at once. With `group_right` the sides change places and the operands are put back for each sample.
 */
export async function vectorAndVector(
  context: QueryContext,
  expr: BinaryExpr,
  grid: Grid,
  left: readonly StepSeries[],
  right: readonly StepSeries[],
): Promise<StepSeries[]> {
  const matching = expr.matching as VectorMatching;
  if (
    matching.fillLeft === undefined &&
    matching.fillRight === undefined &&
    (left.length === 0 || right.length === 0)
  ) {
    return [];
  }
  const join = new VectorJoin(context, expr, grid, left, right);
  const groups = await join.groups();
  // Arithmetic gives a series for each that meets another: what is too much is so before it is computed.
  if (isArithmetic(expr.op)) context.foresee(groups.filter(meets).length * grid.steps);
  for (const group of groups) {
    await join.joinGroup(group);
    if (context.breathless) await context.breathe();
  }
  return grid.steps === 1 ? join.results : mergeSameLabels(context, join.results);
}

class VectorJoin {
  readonly results: StepSeries[] = [];
  readonly #context: QueryContext;
  readonly #expr: BinaryExpr;
  readonly #matching: VectorMatching;
  readonly #names: ReadonlySet<string>;
  readonly #included: ReadonlySet<string>;
  readonly #grid: Grid;
  readonly #operator: ElementOperator;
  readonly #swapped: boolean;
  readonly #many: readonly StepSeries[];
  readonly #one: readonly StepSeries[];
  readonly #dropNow: boolean;
  #manyPresent: Uint8Array | undefined;

  constructor(
    context: QueryContext,
    expr: BinaryExpr,
    grid: Grid,
    left: readonly StepSeries[],
    right: readonly StepSeries[],
  ) {
    this.#context = context;
    this.#expr = expr;
    this.#matching = expr.matching as VectorMatching;
    this.#names = new Set(this.#matching.labels);
    this.#included = new Set(this.#matching.include);
    this.#grid = grid;
    this.#operator = new ElementOperator(context, expr);
    this.#swapped = this.#matching.card === "one-to-many";
    this.#many = this.#swapped ? right : left;
    this.#one = this.#swapped ? left : right;
    this.#dropNow = isArithmetic(expr.op) || (expr.bool && !context.delayedNameRemoval);
  }

  async groups(): Promise<MatchGroup[]> {
    const index = new SignatureIndex(this.#matching);
    const groups: MatchGroup[] = [];
    for (const side of ["many", "one"] as const) {
      for (const series of side === "many" ? this.#many : this.#one) {
        const ordinal = index.ordinal(series.labels);
        groups[ordinal] ??= { many: [], one: [] };
        groups[ordinal]?.[side].push(series);
        if (this.#context.tired(KEY_WORK)) await this.#context.breathe();
      }
    }
    return groups;
  }

  async joinGroup(group: MatchGroup): Promise<void> {
    if (group.one.length > 1) this.#checkOne(group.one);
    const matched = new Uint8Array(this.#grid.steps);
    const seen = new Map<string, Uint8Array>();
    for (const many of group.many) {
      for (const one of group.one) this.#pair(many, one, matched, seen);
      if (this.#context.tired(2 * group.one.length * this.#grid.steps)) await this.#context.breathe();
      if (this.#matching.fillRight !== undefined) this.#fillOne(many, group.one, matched, seen);
    }
    if (this.#matching.fillLeft !== undefined) for (const one of group.one) this.#fillMany(one, matched, seen);
  }

  #pair(many: StepSeries, one: StepSeries, matched: Uint8Array, seen: Map<string, Uint8Array>): void {
    const out = this.#output(many.labels, one.labels);
    const marks = this.#marks(out.labels, matched, seen);
    const { op } = this.#expr;
    const simple = !many.histograms && !one.histograms && isArithmetic(op) && !this.#expr.bool;
    let any = false;
    if (simple) {
      const operate = ARITHMETIC[op];
      for (let step = 0; step < out.kinds.length; step++) {
        if (many.kinds[step] !== FLOAT || one.kinds[step] !== FLOAT) continue;
        this.#mark(marks, matched, step);
        const a = many.values[step] as number;
        const b = one.values[step] as number;
        out.values[step] = this.#swapped ? operate(b, a) : operate(a, b);
        out.kinds[step] = FLOAT;
        any = true;
      }
    } else {
      for (let step = 0; step < out.kinds.length; step++) {
        if (many.kinds[step] === ABSENT || one.kinds[step] === ABSENT) continue;
        if (this.#apply(out, step, sampleAt(many, step), sampleAt(one, step), marks, matched)) any = true;
      }
    }
    if (any) this.#keep(out);
  }

  /** Where the "one" side has nothing, `fill_right` makes something up. */
  #fillOne(many: StepSeries, one: readonly StepSeries[], matched: Uint8Array, seen: Map<string, Uint8Array>): void {
    const out = this.#output(many.labels, matchLabels(many.labels, this.#matching));
    const marks = this.#marks(out.labels, matched, seen);
    let any = false;
    for (let step = 0; step < out.kinds.length; step++) {
      if (many.kinds[step] === ABSENT || one.some(({ kinds }) => kinds[step] !== ABSENT)) continue;
      const fill = this.#matching.fillRight as number;
      if (this.#apply(out, step, sampleAt(many, step), fill, marks, matched)) any = true;
    }
    if (any) this.#keep(out);
  }

  #fillMany(one: StepSeries, matched: Uint8Array, seen: Map<string, Uint8Array>): void {
    const out = this.#output(matchLabels(one.labels, this.#matching), one.labels);
    const marks = this.#marks(out.labels, matched, seen);
    let any = false;
    for (let step = 0; step < out.kinds.length; step++) {
      if (one.kinds[step] === ABSENT || matched[step]) continue;
      const fill = this.#matching.fillLeft as number;
      if (this.#apply(out, step, fill, sampleAt(one, step), marks, matched)) any = true;
    }
    if (any) this.#keep(out);
  }

  #keep(out: StepSeries): void {
    this.#context.hold(this.#grid.steps);
    this.results.push(out);
  }

  #apply(out: StepSeries, step: number, many: Sample, one: Sample, marks: Uint8Array, matched: Uint8Array): boolean {
    const result = this.#swapped ? this.#operator.apply(one, many) : this.#operator.apply(many, one);
    if (!result) return false;
    this.#mark(marks, matched, step);
    if (this.#expr.bool) out.setFloat(step, result.keep ? 1 : 0);
    else if (result.keep) out.set(step, result.value);
    else return false;
    return true;
  }

  /** The steps at which this result exists already: it may not come about twice. */
  #marks(labels: Labels, matched: Uint8Array, seen: Map<string, Uint8Array>): Uint8Array {
    if (this.#matching.card === "one-to-one") return matched;
    const key = labelsKey(labels);
    let marks = seen.get(key);
    if (!marks) {
      marks = new Uint8Array(this.#grid.steps);
      seen.set(key, marks);
    }
    return marks;
  }

  #mark(marks: Uint8Array, matched: Uint8Array, step: number): void {
    if (marks[step]) {
      throw new EvaluationError(
        this.#matching.card === "one-to-one"
          ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
          : "multiple matches for labels: grouping labels must ensure unique matches",
      );
    }
    marks[step] = 1;
    matched[step] = 1;
  }

  /** A comparison forgets what became of the name of its operand: in Prometheus `rate(a[5m]) > b` has a's again. */
  #output(many: Labels, one: Labels): StepSeries {
    return StepSeries.empty(this.#resultLabels(many, one), this.#grid.steps, this.#expr.bool);
  }

  #resultLabels(many: Labels, one: Labels): Labels {
    const { card, on } = this.#matching;
    let labels = this.#dropNow ? dropMetadata(many) : many;
    if (card === "one-to-one") labels = on ? keepLabels(labels, this.#names) : dropLabels(labels, this.#names);
    if (this.#included.size === 0) return labels;
    // A query may name thousands of labels: those that neither side has change nothing.
    for (const [name] of [...labels, ...one]) {
      if (this.#included.has(name)) labels = withLabel(labels, name, labelValue(one, name));
    }
    return labels;
  }

  /** Two samples of one signature on the side of "one" are an error, unless the other side is empty altogether. */
  #checkOne(one: readonly StepSeries[]): void {
    this.#manyPresent ??= presentSteps(this.#many, this.#grid);
    const fills = this.#matching.fillLeft !== undefined || this.#matching.fillRight !== undefined;
    const owner: (StepSeries | undefined)[] = new Array(this.#grid.steps);
    for (const series of one) {
      for (let step = 0; step < this.#grid.steps; step++) {
        if (series.kinds[step] === ABSENT || !(fills || this.#manyPresent[step])) continue;
        const first = owner[step];
        if (first) throw this.#duplicate(first.labels, series.labels);
        owner[step] = series;
      }
    }
  }

  #duplicate(a: Labels, b: Labels): EvaluationError {
    const side = this.#swapped ? "left" : "right";
    const group = formatLabelSet(matchLabels(b, this.#matching));
    const series = [formatLabelSet(a), formatLabelSet(b)].sort().join(", ");
    return new EvaluationError(
      `found duplicate series for the match group ${group} on the ${side} hand-side of the operation: [${series}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}

function meets({ many, one }: MatchGroup): boolean {
  return many.length > 0 && one.length > 0;
}

function sampleAt(series: StepSeries, step: number): Sample {
  return series.kinds[step] === FLOAT ? (series.values[step] as number) : series.histogramAt(step);
}

function presentSteps(all: readonly StepSeries[], grid: Grid): Uint8Array {
  const present = new Uint8Array(grid.steps);
  for (const { kinds } of all) {
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== ABSENT) present[step] = 1;
  }
  return present;
}

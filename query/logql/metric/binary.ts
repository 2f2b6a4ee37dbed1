import { InvalidInputError } from "@sightline/model/errors.ts";
import { type Label, type Labels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import type { BinaryExpr, BinaryOperator, SetOperator, VectorMatching } from "../ast.ts";
import type { QueryBudget } from "./query-budget.ts";
import { comparison, isComparison, isSetOperator, scalarOperation } from "./scalar-operation.ts";
import { emptySeries, type StepSeries } from "./step-series.ts";

/** Undefined: there is no sample. */
type Merge = (left: number, right: number) => number | undefined;

/** What a pair of samples comes to. Without `bool` a comparison keeps the sample of the vector, whichever side it is on. */
function mergeOf(op: Exclude<BinaryOperator, SetOperator>, bool: boolean, keepsRight: boolean): Merge {
  if (!isComparison(op) || bool) return scalarOperation(op);
  const holds = comparison(op);
  return (left, right) => (holds(left, right) ? (keepsRight ? right : left) : undefined);
}

/** A number on one side. */
export function binaryWithNumber(
  { op, bool }: BinaryExpr,
  vector: readonly StepSeries[],
  number: number,
  isNumberLeft: boolean,
  budget: QueryBudget,
): StepSeries[] {
  if (isSetOperator(op)) return [];
  const merge = mergeOf(op, bool, isNumberLeft);
  return vector.map((series) => {
    budget.hold(series.values.length);
    const result = emptySeries(series.labels, series.values.length);
    for (let step = 0; step < series.values.length; step++) {
      if (!series.present[step]) continue;
      const value = series.values[step] as number;
      put(result, step, isNumberLeft ? merge(number, value) : merge(value, number));
    }
    return result;
  });
}

function put(series: StepSeries, step: number, value: number | undefined): void {
  if (value === undefined) return;
  series.values[step] = value;
  series.present[step] = 1;
}

/** Labels that must be equal, as one text. An empty label is a missing one. */
function signature(labels: Labels, { on, labels: names }: VectorMatching): string {
  return labelsKey(labels.filter(([name, value]) => value !== "" && names.includes(name) === on));
}

/** Numbers the signatures of both sides, so that matching at each step needs no texts. */
class Signatures {
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly count: number;

  constructor(left: readonly StepSeries[], right: readonly StepSeries[], matching: VectorMatching) {
    const numbers = new Map<string, number>();
    const numberOf = ({ labels }: StepSeries) => {
      const text = signature(labels, matching);
      const known = numbers.get(text) ?? numbers.size;
      numbers.set(text, known);
      return known;
    };
    this.left = Int32Array.from(left, numberOf);
    this.right = Int32Array.from(right, numberOf);
    this.count = numbers.size;
  }
}

/** Two vectors, as Loki's BinOpStepEvaluator. Throws `InvalidInputError` when samples match more than one. */
export async function binary(
  expr: BinaryExpr,
  left: readonly StepSeries[],
  right: readonly StepSeries[],
  steps: number,
  budget: QueryBudget,
): Promise<StepSeries[]> {
  const { op, bool, matching } = expr;
  if (isSetOperator(op)) return setOperation(op, matching, left, right, budget);
  const isSwapped = matching.cardinality === "one-to-many";
  const [many, one] = isSwapped ? [right, left] : [left, right];
  const pairing = new Pairing(matching, many, one, steps, budget);
  const merge = mergeOf(op, bool, false);
  for (let step = 0; step < steps; step++) {
    pairing.match(step, (a, b) => (isSwapped ? merge(b, a) : merge(a, b)));
    await budget.worked(many.length + one.length);
  }
  return pairing.results();
}

/** Pairs the samples of a step, and collects what becomes of them by their labels. */
class Pairing {
  readonly #matching: VectorMatching;
  readonly #many: readonly StepSeries[];
  readonly #one: readonly StepSeries[];
  readonly #steps: number;
  readonly #budget: QueryBudget;
  readonly #signatures: Signatures;
  /** By signature: the series of the "one" side, and the step for which that holds. */
  readonly #match: Int32Array;
  readonly #matchStep: Int32Array;
  /** By signature: the last step at which a sample of the "many" side had it. */
  readonly #usedStep: Int32Array;
  readonly #results = new Map<string, StepSeries>();
  readonly #ofPair = new Map<number, StepSeries>();

  constructor(
    matching: VectorMatching,
    many: readonly StepSeries[],
    one: readonly StepSeries[],
    steps: number,
    budget: QueryBudget,
  ) {
    this.#matching = matching;
    this.#many = many;
    this.#one = one;
    this.#steps = steps;
    this.#budget = budget;
    this.#signatures = new Signatures(many, one, matching);
    this.#match = new Int32Array(this.#signatures.count);
    this.#matchStep = new Int32Array(this.#signatures.count).fill(-1);
    this.#usedStep = new Int32Array(this.#signatures.count).fill(-1);
  }

  results(): StepSeries[] {
    return [...this.#results.values()];
  }

  match(step: number, merge: Merge): void {
    this.#index(step);
    const isOneToOne = this.#matching.cardinality === "one-to-one";
    const seen = new Set<StepSeries>();
    for (let i = 0; i < this.#many.length; i++) {
      const series = this.#many[i] as StepSeries;
      const id = this.#signatures.left[i] as number;
      if (!series.present[step] || this.#matchStep[id] !== step) continue;
      const j = this.#match[id] as number;
      const result = this.#resultOf(i, j);
      if (isOneToOne ? this.#usedStep[id] === step : seen.has(result)) throw manyMatches(isOneToOne);
      this.#usedStep[id] = step;
      seen.add(result);
      put(result, step, merge(series.values[step] as number, (this.#one[j] as StepSeries).values[step] as number));
    }
  }

  #index(step: number): void {
    for (let j = 0; j < this.#one.length; j++) {
      if (!(this.#one[j] as StepSeries).present[step]) continue;
      const id = this.#signatures.right[j] as number;
      if (this.#matchStep[id] === step) {
        const side = this.#matching.cardinality === "one-to-many" ? "left" : "right";
        throw new InvalidInputError(
          `found duplicate series on the ${side} hand-side;many-to-many matching not allowed: matching labels must be unique on one side`,
        );
      }
      this.#match[id] = j;
      this.#matchStep[id] = step;
    }
  }

  #resultOf(i: number, j: number): StepSeries {
    const pair = i * this.#one.length + j;
    let result = this.#ofPair.get(pair);
    if (!result) {
      const labels = resultLabels(
        (this.#many[i] as StepSeries).labels,
        (this.#one[j] as StepSeries).labels,
        this.#matching,
      );
      const key = labelsKey(labels);
      result = this.#results.get(key);
      if (!result) {
        this.#budget.hold(this.#steps);
        result = emptySeries(labels, this.#steps);
        this.#results.set(key, result);
      }
      this.#ofPair.set(pair, result);
    }
    return result;
  }
}

function manyMatches(isOneToOne: boolean): InvalidInputError {
  return new InvalidInputError(
    isOneToOne
      ? "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
      : "multiple matches for labels: grouping labels must ensure unique matches",
  );
}

function resultLabels(many: Labels, one: Labels, { cardinality, on, labels: names, include }: VectorMatching): Labels {
  if (cardinality === "one-to-one") return many.filter(([name]) => names.includes(name) === on);
  const kept = many.filter(([name]) => !include.includes(name));
  const included = include.flatMap((name): Label[] => {
    const value = labelValue(one, name);
    return value === "" ? [] : [[name, value]];
  });
  return [...kept, ...included].sort(([a], [b]) => (a < b ? -1 : 1));
}

async function setOperation(
  op: SetOperator,
  matching: VectorMatching,
  left: readonly StepSeries[],
  right: readonly StepSeries[],
  budget: QueryBudget,
): Promise<StepSeries[]> {
  const signatures = new Signatures(left, right, matching);
  const isOr = op === "or";
  // `or` keeps the left, and of the right what the left lacks; the others keep of the left what the right has or lacks.
  const [kept, keptIds, other, otherIds] = isOr
    ? [right, signatures.right, left, signatures.left]
    : [left, signatures.left, right, signatures.right];
  const masks = presenceBySignature(other, otherIds, signatures.count);
  const result: StepSeries[] = isOr ? [...left] : [];
  for (const [i, series] of kept.entries()) {
    budget.hold(series.values.length);
    const filtered = emptySeries(series.labels, series.values.length);
    const mask = masks[keptIds[i] as number];
    for (let step = 0; step < series.values.length; step++) {
      const hasOther = mask?.[step] === 1;
      if (series.present[step] && hasOther === (op === "and")) put(filtered, step, series.values[step]);
    }
    result.push(filtered);
    await budget.worked(series.values.length);
  }
  return result;
}

function presenceBySignature(
  series: readonly StepSeries[],
  ids: Int32Array,
  count: number,
): (Uint8Array | undefined)[] {
  const masks = new Array<Uint8Array | undefined>(count);
  for (const [i, { present }] of series.entries()) {
    const id = ids[i] as number;
    const mask = masks[id] ?? new Uint8Array(present.length);
    for (let step = 0; step < present.length; step++) if (present[step]) mask[step] = 1;
    masks[id] = mask;
  }
  return masks;
}

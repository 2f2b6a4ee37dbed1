import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { NOTES } from "../annotations.ts";
import type { BinaryExpr, ComparisonOperator } from "../ast.ts";
import { isArithmetic, isComparison } from "../ast.ts";
import type { QueryContext } from "../eval/query-context.ts";
import { equalHistograms } from "../histogram/equal-histograms.ts";
import { HistogramAccumulator, IncompatibleSchemasError } from "../histogram/histogram-accumulator.ts";
import { compactHistogram, divideHistogram, scaleHistogram } from "../histogram/scale-histogram.ts";
import { trimBuckets } from "../histogram/trim-buckets.ts";
import { ARITHMETIC, COMPARE } from "./scalar-operators.ts";

export type Sample = number | NativeHistogram;
/** `value` is what a filter lets through; a comparison that fails has `keep` false. */
export type ElementResult = { readonly value: Sample; readonly keep: boolean };

/**
 * One operator applied to one pair of samples; undefined when the types do not go together, which is noted
 * (vectorElemBinop in Prometheus' promql/engine.go).
 */
export class ElementOperator {
  readonly #context: QueryContext;
  readonly #expr: BinaryExpr;

  constructor(context: QueryContext, expr: BinaryExpr) {
    this.#context = context;
    this.#expr = expr;
  }

  apply(left: Sample, right: Sample): ElementResult | undefined {
    if (typeof left === "number") {
      return typeof right === "number" ? this.#floats(left, right) : this.#floatAndHistogram(left, right);
    }
    return typeof right === "number" ? this.#histogramAndFloat(left, right) : this.#histograms(left, right);
  }

  #floats(left: number, right: number): ElementResult | undefined {
    const { op } = this.#expr;
    if (isArithmetic(op)) return { value: ARITHMETIC[op](left, right), keep: true };
    if (isComparison(op)) return { value: left, keep: COMPARE[op](left, right) };
    return this.#incompatible("float", "float");
  }

  #floatAndHistogram(left: number, right: NativeHistogram): ElementResult | undefined {
    if (this.#expr.op !== "*") return this.#incompatible("float", "histogram");
    return { value: compactHistogram(scaleHistogram(right, left)), keep: true };
  }

  #histogramAndFloat(left: NativeHistogram, right: number): ElementResult | undefined {
    switch (this.#expr.op) {
      case "*":
        return { value: compactHistogram(scaleHistogram(left, right)), keep: true };
      case "/":
        return { value: compactHistogram(divideHistogram(left, right)), keep: true };
      case "</":
        return { value: trimBuckets(left, right, "upper"), keep: true };
      case ">/":
        return { value: trimBuckets(left, right, "lower"), keep: true };
      default:
        return this.#incompatible("histogram", "float");
    }
  }

  #histograms(left: NativeHistogram, right: NativeHistogram): ElementResult | undefined {
    const { op } = this.#expr;
    switch (op) {
      case "+":
        return this.#combine(left, right, 1);
      case "-":
        return this.#combine(left, right, -1);
      case "==":
      case "!=":
        return { value: left, keep: EQUALITY[op](equalHistograms(left, right)) };
      default:
        return this.#incompatible("histogram", "histogram");
    }
  }

  #combine(left: NativeHistogram, right: NativeHistogram, sign: 1 | -1): ElementResult | undefined {
    const { annotations } = this.#context;
    const { op, range } = this.#expr;
    const sum = new HistogramAccumulator(left);
    const operation = sign === 1 ? "addition" : "subtraction";
    try {
      const { resetCollision, boundsReconciled } = sum.add(right, sign);
      if (resetCollision) annotations.warn(range, NOTES.resetCollision(operation));
      if (boundsReconciled) annotations.info(range, NOTES.mismatchedCustomBuckets(operation));
    } catch (error) {
      if (!(error instanceof IncompatibleSchemasError)) throw error;
      annotations.warn(range, NOTES.incompatibleLayout(op));
      return undefined;
    }
    if (sign === -1) sum.hint = 3;
    return { value: sum.toHistogram(), keep: true };
  }

  #incompatible(left: string, right: string): undefined {
    this.#context.annotations.info(this.#expr.range, NOTES.incompatibleTypes(left, this.#expr.op, right));
    return undefined;
  }
}

const EQUALITY: Readonly<Record<Extract<ComparisonOperator, "==" | "!=">, (equal: boolean) => boolean>> = {
  "==": (equal) => equal,
  "!=": (equal) => !equal,
};

import type {
  AggregateExpr,
  AtModifier,
  BinaryExpr,
  CallExpr,
  Duration,
  Expr,
  MatrixSelector,
  SubqueryExpr,
  VectorSelector,
} from "../ast.ts";
import { secondsOf } from "../format/duration.ts";
import { markStatsOnly } from "./mark-stats-only.ts";
import type { QueryRange } from "./query-range.ts";
import { resolveDuration } from "./resolve-duration.ts";

/**
 * Makes an expression ready for a range of times (PreprocessExpr in Prometheus' promql/engine.go): `start()`, `end()`,
 * `step()` and `range()` become numbers, duration expressions and `@` become milliseconds, and what is the same at
 * every step is marked. Throws `InvalidInputError` for impossible durations.
 */
export function prepareQuery(expr: Expr, range: QueryRange): Expr {
  const { expr: prepared, wrap } = new Preparation(range).prepare(markStatsOnly(expr));
  return wrap ? invariant(prepared) : prepared;
}

/** `invariant`: the same at all steps. `wrap`: and worth being evaluated only once. */
type Prepared = { readonly expr: Expr; readonly invariant: boolean; readonly wrap: boolean };

/** Their result depends on the time of evaluation even when their arguments do not. */
const TIME_DEPENDENT = new Set(
  "days_in_month day_of_month day_of_week day_of_year hour minute month year predict_linear time timestamp".split(" "),
);

class Preparation {
  readonly #range: QueryRange;

  constructor(range: QueryRange) {
    this.#range = range;
  }

  prepare(expr: Expr): Prepared {
    switch (expr.kind) {
      case "number":
      case "string":
        return { expr, invariant: true, wrap: false };
      case "vector": {
        const selector = this.#selector(expr);
        const fixed = selector.at !== undefined;
        return { expr: selector, invariant: fixed, wrap: fixed };
      }
      case "matrix":
        return this.#matrix(expr);
      case "subquery":
        return this.#subquery(expr);
      case "aggregate":
        return this.#aggregate(expr);
      case "binary":
        return this.#binary(expr);
      case "call":
        return this.#call(expr);
      case "paren":
      case "unary": {
        const inner = this.prepare(expr.expr);
        return { ...inner, expr: { ...expr, expr: inner.expr } };
      }
      case "invariant":
        return { expr, invariant: true, wrap: false };
    }
  }

  #selector(selector: VectorSelector): VectorSelector {
    const { at, ...rest } = selector;
    const offset = this.#duration(selector.offset, true);
    return at === undefined ? { ...rest, offset } : { ...rest, offset, at: this.#at(at) };
  }

  #matrix(expr: MatrixSelector): Prepared {
    const vector = this.#selector(expr.vector);
    const length = this.#duration(expr.length, false);
    return { expr: { ...expr, vector, length }, invariant: vector.at !== undefined, wrap: false };
  }

  #subquery(expr: SubqueryExpr): Prepared {
    const inner = this.prepare(expr.expr);
    const { at, step, ...rest } = expr;
    const prepared: SubqueryExpr = {
      ...rest,
      expr: inner.invariant ? invariant(inner.expr) : inner.expr,
      length: this.#duration(expr.length, false),
      offset: this.#duration(expr.offset, true),
      ...(step !== undefined && { step: this.#duration(step, false) }),
      ...(at !== undefined && { at: this.#at(at) }),
    };
    return { expr: prepared, invariant: at !== undefined, wrap: false };
  }

  #aggregate(expr: AggregateExpr): Prepared {
    const inner = this.prepare(withoutParens(expr.expr));
    const param = expr.param && this.prepare(withoutParens(expr.param)).expr;
    return { ...inner, expr: { ...expr, expr: inner.expr, ...(param && { param }) }, wrap: inner.wrap };
  }

  #binary(expr: BinaryExpr): Prepared {
    const left = this.prepare(expr.left);
    const right = this.prepare(expr.right);
    if (left.invariant && right.invariant) {
      return { expr: { ...expr, left: left.expr, right: right.expr }, invariant: true, wrap: true };
    }
    return { expr: { ...expr, left: wrapped(left), right: wrapped(right) }, invariant: false, wrap: false };
  }

  #call(expr: CallExpr): Prepared {
    const constant = this.#constant(expr);
    if (constant !== undefined) {
      const number = { kind: "number", value: constant, duration: false, range: expr.range } as const;
      return { expr: number, invariant: true, wrap: false };
    }
    const args = expr.args.map((arg) => this.prepare(withoutParens(arg)));
    const isFixed = args.every((arg) => arg.invariant);
    const ofFixedSelector = expr.func === "timestamp" && isFixed && args.every((arg) => arg.expr.kind === "vector");
    if ((isFixed && !TIME_DEPENDENT.has(expr.func)) || ofFixedSelector) {
      return { expr: { ...expr, args: args.map((arg) => arg.expr) }, invariant: true, wrap: true };
    }
    return { expr: { ...expr, args: args.map(wrapped) }, invariant: false, wrap: false };
  }

  #constant({ func, args }: CallExpr): number | undefined {
    if (args.length > 0) return undefined;
    const { startMs, endMs, stepMs } = this.#range;
    if (func === "start") return startMs / 1000;
    if (func === "end") return endMs / 1000;
    if (func === "range") return secondsOf(endMs - startMs);
    if (func === "step") return startMs === endMs ? 0 : secondsOf(stepMs);
    return undefined;
  }

  #at(at: AtModifier): number {
    if (at === "start") return this.#range.startMs;
    return at === "end" ? this.#range.endMs : at;
  }

  #duration(duration: Duration, mayBeNegative: boolean): number {
    return typeof duration === "number" ? duration : resolveDuration(duration, this.#range, mayBeNegative);
  }
}

function wrapped({ expr, wrap }: Prepared): Expr {
  return wrap ? invariant(expr) : expr;
}

function invariant(expr: Expr): Expr {
  return { kind: "invariant", expr, range: expr.range };
}

function withoutParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === "paren") inner = inner.expr;
  return inner;
}

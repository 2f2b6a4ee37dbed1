import { LimitError } from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { AggregateExpr, BinaryExpr, CallExpr, Expr, SubqueryExpr } from "../ast.ts";
import type { Grid } from "./grid.ts";
import { knownDuration } from "./time-window.ts";

/** Of what is done to each series so much counts for nothing: other limits bound what few operations take. */
const FREE_OPERATIONS = 10;
/** Making a series takes about as long as so many of its steps. */
const STEPS_PER_SERIES = 100;
/** Their value has no series, or one. */
const ENDS = new Set(["scalar", "absent", "absent_over_time"]);

/** What is still to come for a value: until it is aggregated, and until the end of the query if aggregating left all. */
type Path = { readonly toAggregate: number; readonly toEnd: number };
type Steps = { readonly count: number; readonly spanMs: number };
/** Places of a query whose series are the same ones, as far as one can tell before. `weight`: of the operations on each. */
type Origin = { operations: number; weight: number; most: number };
type Place = { readonly origin: Origin; came: number };
type Source = readonly Matcher[] | AggregateExpr;
type Found = { readonly source: Source; readonly operations: number; readonly steps: number };

export type WorkLimits = {
  readonly maxOperations: number;
  readonly maxWindowSamples: number;
  readonly maxSubquerySteps: number;
  readonly defaultStepMs: number;
};

const START: Path = { toAggregate: 0, toEnd: 0 };

/**
 * What a prepared query will take, by its text and the number of series its selectors turn out to have: a long chain of
 * operators is refused as soon as the first of its series have come, not when most of it is done.
 */
export class ForeseenWork {
  readonly #maxOperations: number;
  readonly #places = new Map<Source, Place>();
  #operations = 0;

  /** Throws {@link LimitError} for subqueries that look at more than there may be. Undefined: there is nothing to watch. */
  static of(expr: Expr, grid: Grid, limits: WorkLimits): ForeseenWork | undefined {
    const survey = new Survey(limits);
    survey.look(expr, START, { count: grid.steps, spanMs: (grid.steps - 1) * grid.stepMs });
    return survey.operations > FREE_OPERATIONS ? new ForeseenWork(survey.found, limits.maxOperations) : undefined;
  }

  private constructor(found: readonly Found[], maxOperations: number) {
    this.#maxOperations = maxOperations;
    const origins = new Map<unknown, Origin>();
    for (const { source, operations, steps } of found) {
      const key = isAggregate(source) ? source : JSON.stringify(source);
      const origin = origins.get(key) ?? { operations: 0, weight: 0, most: 0 };
      origins.set(key, origin);
      origin.operations += operations;
      origin.weight += operations * (1 + steps / STEPS_PER_SERIES);
      this.#places.set(source, { origin, came: 0 });
    }
    for (const origin of origins.values()) origin.weight *= Math.max(0, 1 - FREE_OPERATIONS / origin.operations);
  }

  /** One more series of a selector, known by its matchers, or of an aggregation. Throws {@link LimitError}. */
  came(from: Source): void {
    const place = this.#places.get(from);
    if (!place) return;
    const { origin } = place;
    if (++place.came <= origin.most) return;
    origin.most = place.came;
    this.#operations += origin.weight;
    if (this.#operations <= this.#maxOperations) return;
    throw new LimitError(
      `the query would apply ${origin.operations} operators and functions to each of ${origin.most} series or more: too much ` +
        `for query.max_series_operations (${this.#maxOperations}); aggregate first, select fewer series, or raise the setting`,
    );
  }
}

function isAggregate(source: Source): source is AggregateExpr {
  return "kind" in source;
}

/** Where in a query series come from, and how much is done to them. */
class Survey {
  readonly found: Found[] = [];
  operations = 0;
  readonly #limits: WorkLimits;
  #windowSamples = 0;

  constructor(limits: WorkLimits) {
    this.#limits = limits;
  }

  look(expr: Expr, path: Path, steps: Steps): void {
    switch (expr.kind) {
      case "vector":
        this.#add(expr.matchers, path.toAggregate + 1, steps);
        break;
      case "matrix":
        this.#add(expr.vector.matchers, path.toAggregate + 1, steps);
        break;
      case "subquery":
        this.look(expr.expr, path, this.#subquery(expr, steps));
        break;
      case "paren":
        this.look(expr.expr, path, steps);
        break;
      case "invariant":
        this.look(expr.expr, path, { count: 1, spanMs: 0 });
        break;
      case "unary":
        this.look(expr.expr, longer(path), steps);
        break;
      case "binary":
        this.#binary(expr, path, steps);
        break;
      case "call":
        this.#call(expr, path, steps);
        break;
      case "aggregate":
        if (expr.param) this.look(expr.param, START, steps);
        this.#add(expr, path.toEnd, steps);
        this.look(expr.expr, { toAggregate: 1, toEnd: path.toEnd + 1 }, steps);
        break;
    }
  }

  /** Of arithmetic and filters one side goes on, of `or` both do. */
  #binary({ op, left, right, matching }: BinaryExpr, path: Path, steps: Steps): void {
    const on = longer(path);
    const isSwapped = matching?.card === "one-to-many";
    this.look(left, isSwapped ? longer(START) : on, steps);
    this.look(right, isSwapped || op === "or" || !matching ? on : longer(START), steps);
  }

  #call({ func, args }: CallExpr, path: Path, steps: Steps): void {
    const on = longer(ENDS.has(func) ? START : path);
    // The selector of info() selects what is added.
    for (const arg of func === "info" ? args.slice(0, 1) : args) this.look(arg, on, steps);
  }

  #add(source: Source, operations: number, { count: steps }: Steps): void {
    this.operations += operations;
    if (operations > 0) this.found.push({ source, operations, steps });
  }

  #subquery({ length, step, at }: SubqueryExpr, { count, spanMs }: Steps): Steps {
    const lengthMs = knownDuration(length);
    const stepMs = step === undefined ? this.#limits.defaultStepMs : knownDuration(step);
    const innerMs = lengthMs + (at === undefined ? spanMs : 0);
    const innerSteps = Math.floor(innerMs / stepMs) + 1;
    // Of too many steps something else is said.
    if (innerSteps <= this.#limits.maxSubquerySteps) this.#look(count * Math.ceil(lengthMs / stepMs));
    return { count: innerSteps, spanMs: innerMs };
  }

  #look(samples: number): void {
    this.#windowSamples += samples;
    if (this.#windowSamples <= this.#limits.maxWindowSamples) return;
    throw new LimitError(
      `subqueries would look at each series' samples ${this.#windowSamples} times over all steps: more than ` +
        `query.max_subquery_samples (${this.#limits.maxWindowSamples}); use longer steps or shorter ranges`,
    );
  }
}

function longer({ toAggregate, toEnd }: Path): Path {
  return { toAggregate: toAggregate + 1, toEnd: toEnd + 1 };
}

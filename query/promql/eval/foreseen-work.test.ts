import { LimitError } from "@sightline/model/errors.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { describe, expect, test } from "vitest";
import type { Expr } from "../ast.ts";
import { childExprs } from "../child-exprs.ts";
import { parsePromql } from "../parse/parse-promql.ts";
import { prepareQuery } from "../prepare/prepare-query.ts";
import { ForeseenWork, type WorkLimits } from "./foreseen-work.ts";
import { gridOf, instantGrid } from "./grid.ts";

const LIMITS: WorkLimits = {
  maxOperations: 1_000,
  maxWindowSamples: 100_000,
  maxSubquerySteps: 200_000,
  defaultStepMs: 60_000,
};
const NOW = { startMs: 1e12, endMs: 1e12, stepMs: 0 };

function instantWork(query: string) {
  const expr = prepareQuery(parsePromql(query), NOW);
  return { expr, work: ForeseenWork.of(expr, instantGrid(NOW.startMs), LIMITS) };
}

function matchersIn(expr: Expr): readonly (readonly Matcher[])[] {
  if (expr.kind === "vector") return [expr.matchers];
  if (expr.kind === "matrix") return [expr.vector.matchers];
  return childExprs(expr).flatMap(matchersIn);
}

/** How many series its first selector may have; `most` if none of them is too many. */
function allowed(query: string, most = 10_000): number {
  const { expr, work } = instantWork(query);
  const [first = []] = matchersIn(expr);
  for (let series = 1; series <= most; series++) {
    try {
      work?.came(first);
    } catch (error) {
      expect(error).toBeInstanceOf(LimitError);
      return series - 1;
    }
  }
  return most;
}

const chain = (op: string, length: number) => Array(length).fill("x").join(` ${op} `);
const nest = (func: string, depth: number) => `${`${func}(`.repeat(depth)}x${")".repeat(depth)}`;

test.each([
  "1 + 1",
  "x",
  "sum by (a) (rate(x[5m])) / sum by (a) (rate(y[5m]))",
  "topk(10, rate(x[5m])) > 0 or y",
  "sum(rate(x[5m])) / sum(rate(x[1h])) > 1 and sum(rate(x[5m])) > 2",
])("%s may have any number of series", (query) => {
  expect(allowed(query)).toBe(10_000);
});

test.each([
  [chain("or", 101)],
  [chain("+", 101)],
  [nest("abs", 101)],
  [nest("-", 101)],
  [Array(101).fill("count(x)").join("+")],
  [Array(101).fill("scalar(x)").join("+")],
])("%.20s… may have few", (query) => {
  expect(allowed(query)).toBeLessThan(100);
});

test("operations behind an aggregation count for what it leaves, not for its operand", () => {
  expect(allowed(nest("abs", 101).replace("x", "sum by (a) (x)"))).toBe(10_000);
  const { expr, work } = instantWork(nest("abs", 101).replace("x", "sum by (a) (x)"));
  let aggregate = expr;
  while (aggregate.kind !== "aggregate") [aggregate] = childExprs(aggregate) as [Expr];
  const came = () => {
    for (let series = 0; series < 100; series++) work?.came(aggregate as typeof aggregate & { kind: "aggregate" });
  };
  expect(came).toThrow(/query\.max_series_operations/);
});

test("many steps make the operations on each series count more", () => {
  const range = { startMs: NOW.startMs, endMs: NOW.endMs + 999_000, stepMs: 1_000 };
  const expr = prepareQuery(parsePromql(nest("abs", 20)), range);
  const work = ForeseenWork.of(expr, gridOf(range.startMs, range.endMs, range.stepMs), LIMITS);
  const [matchers = []] = matchersIn(expr);
  const came = (count: number) => {
    for (let series = 0; series < count; series++) work?.came(matchers);
  };
  expect(() => came(8)).not.toThrow();
  expect(() => came(1)).toThrow(/query\.max_series_operations/);
  expect(allowed(nest("abs", 20))).toBeGreaterThan(80);
});

describe("samples that subqueries look at", () => {
  test.each([
    ["sum_over_time(x[1d:1s])", true],
    ["sum_over_time(x[2d:1s])", false],
    ["max_over_time(sum_over_time(x[5m:1s])[5m:1s])", true],
    ["max_over_time(sum_over_time(x[10m:1s])[10m:1s])", false],
    ["max_over_time(sum_over_time(x[10m:1s] @ 0)[10m:1s])", true],
    ["max_over_time(sum_over_time(x[1h])[1h:])", true],
    // Refused when it is evaluated.
    ["sum_over_time(x[3d:1s])", true],
  ])("%s: %s", (query, isAllowed) => {
    const foresee = () => instantWork(query);
    if (isAllowed) expect(foresee).not.toThrow();
    else expect(foresee).toThrow(/query\.max_subquery_samples \(100000\)/);
  });
});

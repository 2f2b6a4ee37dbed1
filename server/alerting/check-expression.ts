import { InvalidInputError } from "@sightline/model/errors.ts";
import type { CheckedExpression, RuleExpression } from "@sightline/model/rules.ts";
import { formatLogql } from "@sightline/query/logql/format/format-logql.ts";
import { parseLogql } from "@sightline/query/logql/parse/parse-logql.ts";
import type { Expr, VectorSelector } from "@sightline/query/promql/ast.ts";
import { childExprs } from "@sightline/query/promql/child-exprs.ts";
import { formatExpr } from "@sightline/query/promql/format/format-expr.ts";
import { parsePromql } from "@sightline/query/promql/parse/parse-promql.ts";

/** As `RuleEvaluator.check` of the model's ports. `maxQueryBytes` bounds expressions of LogQL. */
export function checkExpression({ text, language }: RuleExpression, maxQueryBytes: number): CheckedExpression {
  if (language === "promql") {
    const expr = parsePromql(text);
    return { text: formatExpr(expr), language, namesMetrics: namesMetrics(expr), reads: metricsRead(expr) };
  }
  const expr = parseLogql(text, maxQueryBytes);
  if (expr.kind === "log")
    throw new InvalidInputError("log queries give lines; rules need samples: count_over_time(…)");
  return { text: formatLogql(expr), language, namesMetrics: false, reads: new Set() };
}

/** Undefined when a selector does not say the name, or `info` joins what it does not name. */
function metricsRead(expr: Expr): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  return addMetricsRead(expr, names) ? names : undefined;
}

function addMetricsRead(expr: Expr, names: Set<string>): boolean {
  if (expr.kind === "call" && expr.func === "info") return false;
  const selector = selectorOf(expr);
  if (!selector) return childExprs(expr).every((child) => addMetricsRead(child, names));
  const name = selector.matchers.find((matcher) => matcher.name === "__name__" && matcher.op === "=");
  if (name) names.add(name.value);
  return name !== undefined;
}

/** No selector leaves the metric's name open. */
function namesMetrics(expr: Expr): boolean {
  const selector = selectorOf(expr);
  if (!selector) return childExprs(expr).every(namesMetrics);
  return selector.matchers.some(({ name }) => name === "__name__");
}

function selectorOf(expr: Expr): VectorSelector | undefined {
  return expr.kind === "matrix" ? expr.vector : expr.kind === "vector" ? expr : undefined;
}

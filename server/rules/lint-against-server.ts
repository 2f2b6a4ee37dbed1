import type { GroupConfig, RuleConfig } from "@sightline/alerting/rules/rule-config.ts";
import type { Expr } from "@sightline/query/promql/ast.ts";
import { childExprs } from "@sightline/query/promql/child-exprs.ts";
import { parsePromql } from "@sightline/query/promql/parse/parse-promql.ts";
import { headersOf, type Options, urlOf } from "../command-options.ts";
import { ask } from "../query-command.ts";
import type { LintFinding } from "./lint-rules.ts";

/** One rule that gives more is one that nobody reads, or that costs more than what it is made from. */
const MAX_ELEMENTS = 1_000;

/** What a running server knows of the rules: metrics that are not there, and expressions with very many elements. */
export async function lintAgainstServer(groups: readonly GroupConfig[], options: Options): Promise<LintFinding[]> {
  const recorded = new Set(groups.flatMap(({ rules }) => rules.map(({ name }) => name)));
  const known = new Map<string, boolean>();
  const findings: LintFinding[] = [];
  for (const { name: group, rules } of groups) {
    for (const rule of rules) {
      if (rule.expression.language !== "promql") continue;
      const say = (problem: string) => findings.push({ group, rule: rule.name, problem });
      for (const metric of metricsIn(parsePromql(rule.expression.text))) {
        if (recorded.has(metric) || metric.startsWith("ALERTS")) continue;
        if (!known.has(metric)) known.set(metric, (await countOf(JSON.stringify(metric), true, options)) > 0);
        if (!known.get(metric)) say(`the server has no metric ${metric}`);
      }
      const elements = await elementsOf(rule, options);
      if (elements > MAX_ELEMENTS) say(`the expression gives ${elements} elements now: aggregate them`);
    }
  }
  return findings;
}

function metricsIn(expr: Expr): Set<string> {
  const names = new Set<string>();
  const visit = (node: Expr): void => {
    const selector = node.kind === "matrix" ? node.vector : node.kind === "vector" ? node : undefined;
    const name = selector?.matchers.find((matcher) => matcher.name === "__name__" && matcher.op === "=");
    if (name) names.add(name.value);
    if (!selector) childExprs(node).forEach(visit);
  };
  visit(expr);
  return names;
}

function elementsOf({ expression }: RuleConfig, options: Options): Promise<number> {
  return countOf(expression.text, false, options);
}

async function countOf(text: string, isMetric: boolean, options: Options): Promise<number> {
  const query = isMetric ? `count({${text}})` : `count(${text})`;
  const parameters = { query, time: String(Date.now() / 1_000) };
  const answer = await ask(new URL("api/v1/query", `${urlOf(options)}/`), parameters, headersOf(options));
  if (answer.status !== "success") return 0;
  const { result } = answer.data as unknown as {
    readonly result: readonly { readonly value: readonly [number, string] }[];
  };
  return Number(result[0]?.value[1] ?? 0);
}

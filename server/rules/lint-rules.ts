import type { GroupConfig, RuleConfig } from "@sightline/alerting/rules/rule-config.ts";
import type { Expr } from "@sightline/query/promql/ast.ts";
import { parsePromql } from "@sightline/query/promql/parse/parse-promql.ts";

export type LintFinding = { readonly group: string; readonly rule: string; readonly problem: string };

/** What is allowed, and still looks wrong. */
export function lintGroups(groups: readonly GroupConfig[]): readonly LintFinding[] {
  const seen = new Set<string>();
  return groups.flatMap(({ name: group, rules }) =>
    rules.flatMap((rule) => {
      const identity = identityOf(rule);
      const problems = problemsOf(rule);
      if (seen.has(identity)) problems.push("a rule with this name and these labels comes more than once");
      seen.add(identity);
      return problems.map((problem) => ({ group, rule: rule.name, problem }));
    }),
  );
}

/** Of one file, as promtool has it. */
export function hasDuplicateRules(groups: readonly GroupConfig[]): boolean {
  const seen = groups.flatMap(({ rules }) => rules.map(identityOf));
  return new Set(seen).size < seen.length;
}

function identityOf({ name, labels }: RuleConfig): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

function problemsOf(rule: RuleConfig): string[] {
  const problems: string[] = [];
  if (rule.expression.language !== "promql") return problems;
  const expr = parsePromql(rule.expression.text);
  const kept = labelsLeft(expr);
  if (rule.kind === "alerting" && kept) {
    for (const [where, text] of [...Object.entries(rule.labels), ...Object.entries(rule.annotations)]) {
      for (const label of labelsIn(text)) {
        if (kept.has(label)) continue;
        problems.push(`${where} shows the label ${label}, which the expression does not have: add it to its \`by\``);
      }
    }
  }
  if (rule.kind === "alerting" && !isCondition(expr)) {
    problems.push("the expression has no condition: the alert is there as long as there is data");
  }
  return problems;
}

/** Names of `$labels.x` and `.Labels.x`. */
function labelsIn(text: string): Set<string> {
  const templates = text.match(/\{\{.*?\}\}/gs) ?? [];
  const names = templates.flatMap((template) => [...template.matchAll(/(?:\$labels|(?<!\w)\.Labels)\.(\w+)/g)]);
  return new Set(names.map(([, name = ""]) => name));
}

/** Labels that elements of the expression can have at most; undefined when that can't be told. */
function labelsLeft(expr: Expr): ReadonlySet<string> | undefined {
  switch (expr.kind) {
    case "paren":
    case "unary":
      return labelsLeft(expr.expr);
    case "aggregate": {
      const keepsElements = ["topk", "bottomk", "limitk", "limit_ratio"].includes(expr.op);
      if (keepsElements || expr.without) return undefined;
      const parameter = expr.param?.kind === "string" ? [expr.param.value] : [];
      return new Set([...expr.grouping, ...parameter]);
    }
    case "binary": {
      const [left, right] = [labelsLeft(expr.left), labelsLeft(expr.right)];
      if (expr.right.kind === "number") return left;
      if (expr.left.kind === "number") return right;
      if (expr.op === "and" || expr.op === "unless") return left;
      return undefined;
    }
    default:
      return undefined;
  }
}

const CONDITIONS = new Set(["==", "!=", "<", "<=", ">", ">=", "and", "or", "unless"]);

function isCondition(expr: Expr): boolean {
  if (expr.kind === "paren") return isCondition(expr.expr);
  if (expr.kind === "binary") return CONDITIONS.has(expr.op) || isCondition(expr.left) || isCondition(expr.right);
  if (expr.kind === "call") return /^(absent|absent_over_time|changes)$/.test(expr.func) || expr.args.some(isCondition);
  return expr.kind === "aggregate" ? isCondition(expr.expr) : expr.kind === "subquery" && isCondition(expr.expr);
}

import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import { expect, test } from "vitest";
import type { Expr } from "../ast.ts";
import { parsePromql } from "./parse-promql.ts";

/** The shape of a tree: operators and what they apply to, with positions, in words that both parsers have. */
function shapeOf(expr: Expr): string {
  const { start, end } = expr.range;
  const inner = childrenOf(expr).map(shapeOf).join(",");
  return `${expr.kind === "invariant" ? "paren" : expr.kind}@${start}-${end}(${inner})`;
}

function childrenOf(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "binary":
      return [expr.left, expr.right];
    case "call":
      return [...expr.args];
    case "aggregate":
      return expr.param ? [expr.param, expr.expr] : [expr.expr];
    case "unary":
    case "paren":
    case "subquery":
      return [expr.expr];
    default:
      return [];
  }
}

const KINDS: Readonly<Record<string, Expr["kind"]>> = {
  NumberDurationLiteral: "number",
  StringLiteral: "string",
  VectorSelector: "vector",
  MatrixSelector: "matrix",
  SubqueryExpr: "subquery",
  AggregateExpr: "aggregate",
  BinaryExpr: "binary",
  UnaryExpr: "unary",
  ParenExpr: "paren",
  FunctionCall: "call",
};
/** Nodes that modify an expression: they only make it longer. */
const MODIFIERS = new Set(["OffsetExpr", "StepInvariantExpr", "AnchoredExpr", "SmoothedExpr"]);

function lezerShape(node: SyntaxNode): string {
  if (MODIFIERS.has(node.name)) {
    return lezerShape(node.firstChild as SyntaxNode).replace(/@(\d+)-\d+/, `@$1-${node.to}`);
  }
  const inner = node.name === "MatrixSelector" ? [] : lezerChildren(node).map(lezerShape);
  return `${KINDS[node.name]}@${node.from}-${node.to}(${inner.join(",")})`;
}

function lezerChildren(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name === "FunctionCallBody") children.push(...lezerChildren(child));
    else if (child.name in KINDS || MODIFIERS.has(child.name)) children.push(child);
  }
  return children;
}

function lezer(text: string): string {
  const root = parser.configure({ strict: true }).parse(text).topNode;
  return lezerShape(lezerChildren(root)[0] as SyntaxNode);
}

test.each([
  "up",
  'sum by (job) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
  "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))",
  "a + b * c ^ d ^ e - f",
  "a and b or c unless d",
  "-a ^ 2",
  "topk(5, x) > bool 3",
  "max_over_time(rate(x[5m])[1h:1m] offset 1d)",
  "x @ end() offset 5m",
  "label_replace(x, 'a', '$1', 'b', '(.*)')",
  "x[5m] @ 3",
  "count_values('v', x) without (y)",
  '{"a.b", c!="d"} * on (e) group_left (f) g',
  "avg_over_time((x > 3)[1h:])",
  "quantile(0.5, x) == 1m",
])("the editor's grammar reads %s the same way", (text) => {
  expect(shapeOf(parsePromql(text))).toBe(lezer(text));
});

test.each([
  ["x + y offset 1h", "an offset belongs to the selector before it, not to the sum"],
  ["-1^2", "a sign binds less tightly than a power"],
  ["-x[5m:] > 0", "brackets bind more tightly than a sign, so this negates a range vector"],
  ["max_of(1, 2)", "a function since Prometheus 3.8"],
  ["0x_1F", "digits may be grouped after the prefix, too"],
])("on %s Prometheus' grammar is right: %s", (text) => {
  let ours: string;
  let theirs: string;
  try {
    ours = shapeOf(parsePromql(text));
  } catch {
    ours = "refused";
  }
  try {
    theirs = lezer(text);
  } catch {
    theirs = "refused";
  }
  expect(theirs).not.toBe(ours);
});

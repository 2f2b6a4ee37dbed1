import type { SyntaxNode } from "@lezer/common";
import type { BinaryOperator, SampleExpr } from "./ast.ts";
import { notSupported, parseError, syntaxError } from "./problems.ts";
import { MAX_DEPTH } from "./spine.ts";

/** From loose to tight (Loki's syntax.y); operators of a level associate to the left, `^` to the right. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["or"],
  ["and", "unless"],
  ["==", "!=", "<", "<=", ">", ">="],
  ["+", "-"],
  ["*", "/", "%"],
  ["^"],
];
const PRECEDENCE = new Map(LEVELS.flatMap((operators, level) => operators.map((op) => [op, level] as const)));
/** The expression is evaluated by recursion over its operators. */
const MAX_OPERATORS = 1_000;

type Operator = { readonly op: BinaryOperator; readonly bool: boolean };

/** Reads a `MetricExpr`. Throws `ParseError`, and `InvalidInputError` for what is not supported yet. */
export function parseSample(metric: SyntaxNode, text: string, depth = 0): SampleExpr {
  if (depth > MAX_DEPTH) throw parseError(text, metric.from, `expressions may nest ${MAX_DEPTH} deep`);
  const node = metric.firstChild;
  const range = { start: metric.from, end: metric.to };
  switch (node?.name) {
    case "MetricExpr":
      return parseSample(node, text, depth + 1);
    case "LiteralExpr":
      return { kind: "number", value: parseNumber(node, text), range };
    case "VectorExpr":
      return { kind: "vector", value: parseNumber(node.getChild("Number") ?? node, text), range };
    case "BinOpExpr":
      return parseChain(node, text, depth);
    default:
      throw notSupported(text, node ?? metric);
  }
}

/** A number with its sign, `1_000`, `0x1f` and `Inf` included. */
function parseNumber(node: SyntaxNode, text: string): number {
  const source = text.slice(node.from, node.to).replaceAll(/\s|_/g, "");
  const unsigned = source.replace(/^[+-]/, "");
  const value = /^inf(inity)?$/i.test(unsigned) ? Number.POSITIVE_INFINITY : Number(unsigned);
  if (unsigned === "" || (Number.isNaN(value) && !/^nan$/i.test(unsigned))) {
    throw parseError(text, node.from, `unable to parse number ${JSON.stringify(source)}`);
  }
  return source.startsWith("-") ? -value : value;
}

/**
 * The grammar does not nest operators by precedence (`1+2*3` comes as `(1+2)*3`, `1*2+3` as `1*(2+3)`). So a chain of
 * operators without parentheses is taken apart and put together anew.
 */
function parseChain(chain: SyntaxNode, text: string, depth: number): SampleExpr {
  const operands: SampleExpr[] = [];
  const operators: Operator[] = [];
  // What is still to come, the next one last.
  const pending: (SyntaxNode | Operator)[] = [chain];
  for (let next = pending.pop(); next; next = pending.pop()) {
    if ("op" in next) operators.push(next);
    else if (next.name === "BinOpExpr") pending.push(...partsOf(next, text).reverse());
    else operands.push(parseSample(next.parent as SyntaxNode, text, depth + 1));
    if (operators.length > MAX_OPERATORS) {
      throw parseError(text, chain.from, `an expression may have ${MAX_OPERATORS} operators`);
    }
  }
  return climb(operands, operators);
}

function partsOf(node: SyntaxNode, text: string): [SyntaxNode, Operator, SyntaxNode] {
  const [left, right] = node.getChildren("Expr");
  const leftInner = left?.getChild("MetricExpr")?.firstChild;
  const rightInner = right?.getChild("MetricExpr")?.firstChild;
  if (!left || !leftInner || !rightInner) throw syntaxError(text, node.from);
  return [leftInner, parseOperator(node, left, text), rightInner];
}

function parseOperator(node: SyntaxNode, left: SyntaxNode, text: string): Operator {
  const symbol = left.nextSibling;
  const modifier = node.getChild("BinOpModifier");
  if (!symbol) throw syntaxError(text, left.to);
  if (modifier?.getChild("OnOrIgnoringModifier")) throw notSupported(text, modifier);
  return {
    op: text.slice(symbol.from, symbol.to).toLowerCase() as BinaryOperator,
    bool: modifier?.getChild("Bool") !== null && modifier !== null,
  };
}

/** Precedence climbing over operands[0] operators[0] operands[1] … */
function climb(operands: readonly SampleExpr[], operators: readonly Operator[]): SampleExpr {
  let position = 0;
  const expression = (minLevel: number): SampleExpr => {
    let left = operands[position] as SampleExpr;
    for (;;) {
      const operator = operators[position];
      const level = operator ? (PRECEDENCE.get(operator.op) ?? -1) : -1;
      if (!operator || level < minLevel) return left;
      position++;
      const right = expression(operator.op === "^" ? level : level + 1);
      const range = { start: left.range.start, end: right.range.end };
      left = { kind: "binary", op: operator.op, bool: operator.bool, left, right, range };
    }
  };
  return expression(0);
}

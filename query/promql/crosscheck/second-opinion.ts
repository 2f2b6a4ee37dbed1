import type { Matcher, MatchOperator } from "@sightline/model/matcher.ts";
import type { Cardinality } from "../ast.ts";
import { load } from "./promql-wasm/promql.mjs";
import { shapeOfGrouping, shapeOfMatchers, shapeOfMatching, shapeOfNumber } from "./shape-of-expr.ts";

/** What the second parser makes of a query: the shape of its tree in the words of `shape-of-expr.ts`, or why not. */
export type SecondOpinion =
  | { readonly accepted: true; readonly shape: string; readonly type: string }
  | { readonly accepted: false; readonly error: string };

/** Its tree grows on a stack of 4 MiB, and so does the JSON it comes in. */
const MAX_BYTES = 16 * 1024;

let parse: ReturnType<typeof load> | undefined;

/** Asks promql-parser (Rust, as WebAssembly; loaded at the first call). Synchronous; throws nothing. */
export function secondOpinion(text: string): SecondOpinion {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) return { accepted: false, error: `not asked: ${bytes} bytes of at most ${MAX_BYTES}` };
  parse ??= load();
  const parsed = parse(text);
  if (!parsed.ok) return { accepted: false, error: parsed.error };
  return { accepted: true, shape: shapeOf(parsed.ast as Node), type: parsed.type };
}

type Look = { offset: number; startOrEnd: "start" | "end" | null; timestamp: number | null };
type Selector = Look & { name?: string; matchers: readonly RawMatcher[] };
type RawMatcher = { name: string; type: MatchOperator; value: string };
type Card = Cardinality | { "many-to-one": string[] } | { "one-to-many": string[] };
type Matching = {
  card: Card;
  on: boolean;
  labels: string[];
  fillValues: { lhs: number | string | null; rhs: number | string | null };
};
/** The tree as promql-parser's `ser` feature writes it. */
type Node =
  | { type: "numberLiteral"; val: string }
  | { type: "stringLiteral"; val: string }
  | ({ type: "vectorSelector" } & Selector)
  | ({ type: "matrixSelector"; range: number } & Selector)
  | ({ type: "subquery"; expr: Node; range: number; step: number | null } & Look)
  | { type: "aggregation"; op: string; expr: Node; param: Node | null; grouping: string[]; without: boolean }
  | { type: "binaryExpr"; op: string; bool: boolean; lhs: Node; rhs: Node; matching: Matching | null }
  | { type: "unaryExpr"; op: string; expr: Node }
  | { type: "parenExpr"; expr: Node }
  | { type: "call"; func: { name: string }; args: Node[] };

function shapeOf(node: Node): string {
  switch (node.type) {
    case "numberLiteral":
      return shapeOfNumber(numberOf(node.val));
    case "stringLiteral":
      return JSON.stringify(node.val);
    case "vectorSelector":
      return shapeOfSelector(node);
    case "matrixSelector":
      return `${shapeOfSelector(node)}[${node.range}]`;
    case "subquery":
      return `(${shapeOf(node.expr)})[${node.range}:${node.step ?? ""}]${shapeOfLook(node)}`;
    case "aggregation": {
      const param = node.param ? `${shapeOf(node.param)}, ` : "";
      return `${node.op} ${shapeOfGrouping(node.without, node.grouping)}(${param}${shapeOf(node.expr)})`;
    }
    case "binaryExpr": {
      const matching = node.matching ? shapeOfRawMatching(node.matching) : "";
      return `(${shapeOf(node.lhs)} ${node.op}${node.bool ? " bool" : ""}${matching} ${shapeOf(node.rhs)})`;
    }
    case "unaryExpr":
      return node.op === "+" ? shapeOf(node.expr) : `-(${shapeOf(node.expr)})`;
    case "parenExpr":
      return shapeOf(node.expr);
    case "call":
      return `${node.func.name}(${node.args.map(shapeOf).join(", ")})`;
  }
}

function numberOf(text: string): number {
  const infinite = /^([+-]?)inf/i.exec(text);
  if (infinite) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

function shapeOfSelector(selector: Selector): string {
  const matchers: Matcher[] = selector.matchers.map(({ name, type, value }) => ({ name, op: type, value }));
  if (selector.name) matchers.push({ name: "__name__", op: "=", value: selector.name });
  return shapeOfMatchers(matchers) + shapeOfLook(selector);
}

function shapeOfLook({ offset, startOrEnd, timestamp }: Look): string {
  const at = startOrEnd ?? timestamp;
  return `${offset === 0 ? "" : ` offset ${offset}`}${at === null ? "" : ` @ ${at}`}`;
}

function shapeOfRawMatching({ card, on, labels, fillValues }: Matching): string {
  const [kind, include] = typeof card === "string" ? [card, []] : (Object.entries(card)[0] as [Cardinality, string[]]);
  return shapeOfMatching({
    card: kind,
    on,
    labels,
    include,
    ...(fillValues.lhs !== null && { fillLeft: Number(fillValues.lhs) }),
    ...(fillValues.rhs !== null && { fillRight: Number(fillValues.rhs) }),
  });
}

import type { ComparingFilter, LabelFilter, NumberOperator } from "../ast.ts";
import type { Token } from "./lexer.ts";
import { isMatchOperator, matcherOf } from "./parse-matchers.ts";
import { parseLiteral } from "./parse-number.ts";
import type { TokenStream } from "./token-stream.ts";

/** What a filter stands behind: decides whether an `and` or `or` after it goes on with it or with all before. */
type Context = "stage" | "inside" | "and" | "or" | "comma";

/**
 * `a="b" and c>5, d<2ms or e=ip("10.0.0.0/8")`. `and` binds tighter than `or`; a comma, or nothing at all, between two
 * filters is an `and` that takes everything to its right (the grammar gives it no precedence, so yacc goes on reading).
 */
export function parseLabelFilter(tokens: TokenStream, context: Context = "stage"): LabelFilter {
  return tokens.nested(() => {
    /** Left sides of commas: they are put together from the right, once that is known. */
    const before: LabelFilter[] = [];
    let here = context;
    let filter = parsePrimary(tokens, here);
    for (;;) {
      if (tokens.is("and") && here !== "and") {
        tokens.take();
        filter = { kind: "and", left: filter, right: parseLabelFilter(tokens, "and") };
      } else if (tokens.is("or") && here !== "and" && here !== "or") {
        tokens.take();
        filter = { kind: "or", left: filter, right: parseLabelFilter(tokens, "or") };
      } else if (tokens.is(",", "IDENTIFIER", "(")) {
        if (before.length > MAX_FILTERS) throw tokens.tooDeep();
        tokens.takeIf(",");
        before.push(filter);
        here = "comma";
        filter = parsePrimary(tokens, here);
      } else {
        return before.reduceRight<LabelFilter>((right, left) => ({ kind: "and", left, right }), filter);
      }
    }
  });
}
/** They become as many levels of the tree. */
const MAX_FILTERS = 500;

function parsePrimary(tokens: TokenStream, context: Context): LabelFilter {
  if (tokens.takeIf("(")) {
    const filter = parseLabelFilter(tokens, "inside");
    if (!tokens.takeIf(")")) tokens.unexpected();
    return filter;
  }
  if (tokens.is("IDENTIFIER")) return parseComparison(tokens);
  return context === "stage" ? tokens.unexpected() : tokens.unexpected("IDENTIFIER", "(");
}

const COMPARISONS: ReadonlyMap<string, NumberOperator> = new Map([
  ["=", "=="],
  ["==", "=="],
  ["!=", "!="],
  [">", ">"],
  [">=", ">="],
  ["<", "<"],
  ["<=", "<="],
]);

function parseComparison(tokens: TokenStream): LabelFilter {
  const name = tokens.take();
  const op = tokens.current;
  const comparison = COMPARISONS.get(op.kind);
  if (!comparison && !isMatchOperator(op.kind)) tokens.unexpected();
  tokens.take();
  if (isMatchOperator(op.kind) && (!comparison || tokens.is("STRING"))) {
    return { kind: "matcher", matcher: matcherOf(name, op, tokens.expect("STRING")) };
  }
  if ((op.kind === "=" || op.kind === "!=") && tokens.is("ip")) {
    return { kind: "ip", name: name.text, op: op.kind, pattern: parseIpPattern(tokens).text };
  }
  return { ...parseAmount(tokens), name: name.text, op: comparison as NumberOperator };
}

/** `ip("…")`. */
export function parseIpPattern(tokens: TokenStream): Token {
  tokens.expect("ip");
  tokens.expect("(");
  const pattern = tokens.expect("STRING");
  tokens.expect(")");
  return pattern;
}

function parseAmount(tokens: TokenStream): Pick<ComparingFilter, "kind" | "value"> {
  const amount = tokens.current;
  if (amount.kind === "DURATION" || amount.kind === "BYTES") {
    tokens.take();
    return { kind: amount.kind === "DURATION" ? "duration" : "bytes", value: amount.value };
  }
  if (!tokens.is("NUMBER", "+", "-")) tokens.unexpected();
  const literal = parseLiteral(tokens);
  if (literal.problem) throw literal.problem;
  return { kind: "number", value: literal.value };
}

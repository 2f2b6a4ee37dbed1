import { quote, unquote } from "@sightline/model/go-quote.ts";
import type { Range, VectorMatching } from "../ast.ts";
import { parseNumberOrDuration } from "./parse-number.ts";
import type { TokenStream } from "./token-stream.ts";

/** `by (…)` or `without (…)`, if that is what comes next. */
export function parseGrouping(tokens: TokenStream): { grouping: readonly string[]; without: boolean } | undefined {
  if (!tokens.is("keyword", "by") && !tokens.is("keyword", "without")) return undefined;
  const without = tokens.take().name === "without";
  return { grouping: parseGroupingLabels(tokens), without };
}

/** What may stand between an operator and its right operand. */
export function parseMatching(tokens: TokenStream, experimental: boolean): { bool: boolean; matching: VectorMatching } {
  const bool = tokens.takeIf("keyword", "bool") !== undefined;
  let matching: VectorMatching = { card: "one-to-one", on: false, labels: [], include: [] };
  if (tokens.is("keyword", "on") || tokens.is("keyword", "ignoring")) {
    const on = tokens.take().name === "on";
    matching = { ...matching, on, labels: parseGroupingLabels(tokens) };
    if (tokens.is("keyword", "group_left") || tokens.is("keyword", "group_right")) {
      const card = tokens.take().name === "group_left" ? "many-to-one" : "one-to-many";
      const hasLabels = tokens.isMark("(") || tokens.is("eof");
      matching = { ...matching, card, include: hasLabels ? parseGroupingLabels(tokens) : [] };
    }
  }
  return { bool, matching: parseFill(tokens, matching, experimental) };
}

function parseFill(tokens: TokenStream, matching: VectorMatching, experimental: boolean): VectorMatching {
  const start = tokens.current;
  if (tokens.takeIf("keyword", "fill")) {
    const value = parseFillValue(tokens);
    return enabled(tokens, experimental, start, { ...matching, fillLeft: value, fillRight: value });
  }
  let filled = matching;
  if (tokens.takeIf("keyword", "fill_left")) {
    filled = { ...filled, fillLeft: parseFillValue(tokens) };
    if (tokens.takeIf("keyword", "fill_right")) filled = { ...filled, fillRight: parseFillValue(tokens) };
  } else if (tokens.takeIf("keyword", "fill_right")) {
    filled = { ...filled, fillRight: parseFillValue(tokens) };
    if (tokens.takeIf("keyword", "fill_left")) filled = { ...filled, fillLeft: parseFillValue(tokens) };
  }
  return filled === matching ? matching : enabled(tokens, experimental, start, filled);
}

function enabled(tokens: TokenStream, experimental: boolean, range: Range, matching: VectorMatching): VectorMatching {
  if (!experimental) throw tokens.error(range, "binop fill modifiers are experimental and not enabled");
  return matching;
}

function parseFillValue(tokens: TokenStream): number {
  tokens.takeMark("(");
  const negative = tokens.is("operator", "-");
  if (negative || tokens.is("operator", "+")) tokens.take();
  const { value } = parseNumberOrDuration(tokens);
  tokens.takeMark(")");
  return negative ? -value : value;
}

function parseGroupingLabels(tokens: TokenStream): string[] {
  if (!tokens.isMark("(")) return tokens.unexpectedIn("grouping opts", '"("');
  tokens.take();
  const labels: string[] = [];
  while (!tokens.isMark(")")) {
    labels.push(parseLabelName(tokens));
    if (tokens.isMark(")")) break;
    if (!tokens.isMark(",")) tokens.unexpectedIn("grouping opts", '"," or ")"');
    tokens.take();
  }
  tokens.take();
  return labels;
}

/** Any word may be a label, keywords too; quoted, any text. */
function parseLabelName(tokens: TokenStream): string {
  const token = tokens.current;
  const isWord = /^[A-Za-z_:]/.test(token.text) && token.kind !== "number";
  if (!isWord && token.kind !== "string") return tokens.unexpectedIn("grouping opts", "label");
  tokens.take();
  if (token.kind !== "string") return token.text;
  const name = unquote(token.text);
  if (name === undefined) throw tokens.error(token, `error unquoting string ${quote(token.text)}: invalid syntax`);
  if (name === "") throw tokens.error(token, `invalid label name for grouping: ${quote(name)}`);
  return name;
}

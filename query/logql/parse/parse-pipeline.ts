import type {
  Extraction,
  LabelFormat,
  LabelPick,
  LineFilterOperand,
  LineFilterOperator,
  LineFilterStage,
  PipelineStage,
} from "../ast.ts";
import { PatternError, parsePattern } from "../pipeline/pattern.ts";
import { regexCaptures } from "../pipeline/regex-captures.ts";
import { parseIpPattern, parseLabelFilter } from "./parse-label-filter.ts";
import { isMatchOperator, matcherOf } from "./parse-matchers.ts";
import { parseErrorOf, regexProblem } from "./problems.ts";
import type { TokenStream } from "./token-stream.ts";

const LINE_FILTERS: ReadonlySet<string> = new Set(["|=", "!=", "|~", "!~", "|>", "!>"]);

/** Stages up to the first token that begins none. `| unwrap` is left to the caller. */
export function parsePipeline(tokens: TokenStream): readonly PipelineStage[] {
  const stages: PipelineStage[] = [];
  for (;;) {
    if (LINE_FILTERS.has(tokens.current.kind)) stages.push(parseLineFilter(tokens));
    else if (tokens.is("|") && tokens.next.kind !== "unwrap") stages.push(parseStage(tokens));
    else return stages;
  }
}

function parseLineFilter(tokens: TokenStream): LineFilterStage {
  const start = tokens.current.start;
  const op = tokens.take().kind as LineFilterOperator;
  const operands = [parseOperand(tokens)];
  while (tokens.takeIf("or")) operands.push(parseOperand(tokens));
  const range = { start, end: tokens.lastEnd };
  return { kind: "line-filter", op, operands: operands as [LineFilterOperand], range };
}

function parseOperand(tokens: TokenStream): LineFilterOperand {
  if (tokens.is("ip")) return { text: parseIpPattern(tokens).text, isIp: true };
  return { text: tokens.expect("STRING", "ip").text, isIp: false };
}

type StageReader = (tokens: TokenStream) => Stage;
/** A stage before it knows its place. */
type Stage = PipelineStage extends infer S ? (S extends PipelineStage ? Omit<S, "range"> : never) : never;

const STAGES: ReadonlyMap<string, StageReader> = new Map<string, StageReader>([
  ["json", (tokens) => ({ kind: "json", extractions: tokens.is("IDENTIFIER") ? parseExtractions(tokens) : [] })],
  ["logfmt", parseLogfmt],
  ["regexp", parseRegexp],
  ["pattern", parsePatternStage],
  ["unpack", () => ({ kind: "unpack" })],
  ["line_format", (tokens) => ({ kind: "line-format", template: tokens.expect("STRING").text })],
  ["label_format", parseLabelFormat],
  ["decolorize", () => ({ kind: "decolorize" })],
  ["drop", (tokens) => ({ kind: "drop", labels: parsePicks(tokens) })],
  ["keep", (tokens) => ({ kind: "keep", labels: parsePicks(tokens) })],
]);

function parseStage(tokens: TokenStream): PipelineStage {
  const { start } = tokens.expect("|");
  const reader = STAGES.get(tokens.current.kind);
  if (reader) tokens.take();
  const stage: Stage = reader?.(tokens) ?? { kind: "label-filter", filter: parseLabelFilter(tokens) };
  return { ...stage, range: { start, end: tokens.lastEnd } } as PipelineStage;
}

function parseLogfmt(tokens: TokenStream): Stage {
  const flags = new Set<string>();
  while (tokens.is("FUNCTION_FLAG")) flags.add(tokens.take().text);
  const extractions = tokens.is("IDENTIFIER") ? parseExtractions(tokens) : [];
  return { kind: "logfmt", strict: flags.has("--strict"), keepEmpty: flags.has("--keep-empty"), extractions };
}

function parseExtractions(tokens: TokenStream): readonly Extraction[] {
  const extractions: Extraction[] = [];
  do {
    const name = tokens.expect("IDENTIFIER").text;
    extractions.push({ name, path: tokens.takeIf("=") ? tokens.expect("STRING").text : name });
  } while (tokens.takeIf(","));
  return extractions;
}

function parseRegexp(tokens: TokenStream): Stage {
  const source = tokens.expect("STRING");
  try {
    regexCaptures(source.text);
  } catch (error) {
    throw parseErrorOf(source, `invalid regexp parser: ${regexProblem(error)}`, error);
  }
  return { kind: "regexp", source: source.text };
}

function parsePatternStage(tokens: TokenStream): Stage {
  const pattern = tokens.expect("STRING");
  try {
    parsePattern(pattern.text).checkCaptures();
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw parseErrorOf(pattern, `invalid pattern parser: ${error.message}`, error);
  }
  return { kind: "pattern", pattern: pattern.text };
}

function parseLabelFormat(tokens: TokenStream): Stage {
  const formats: LabelFormat[] = [];
  do {
    const name = tokens.expect("IDENTIFIER").text;
    tokens.expect("=");
    const value = tokens.expect("IDENTIFIER", "STRING");
    if (value.kind === "STRING") formats.push({ kind: "template", name, template: value.text });
    else formats.push({ kind: "rename", name, from: value.text });
  } while (tokens.takeIf(","));
  return { kind: "label-format", formats };
}

function parsePicks(tokens: TokenStream): readonly LabelPick[] {
  const picks: LabelPick[] = [];
  do {
    const name = tokens.expect("IDENTIFIER");
    if (!isMatchOperator(tokens.current.kind)) picks.push({ name: name.text });
    else picks.push({ name: name.text, matcher: matcherOf(name, tokens.take(), tokens.expect("STRING")) });
  } while (tokens.takeIf(","));
  return picks;
}

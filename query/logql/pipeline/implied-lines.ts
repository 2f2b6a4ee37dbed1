import type { LineHint } from "@sightline/model/log-store.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import type { ComparingFilter, LabelFilter, PipelineStage } from "../ast.ts";
import { inSingleLines } from "./label-filter.ts";
import { isStoredLabel } from "./lower-label-filter.ts";

/** Parsers of which it is known what a line must have for a label. */
type Parser = "json" | "logfmt";
/** What a line must have of a value: an expression for JSON, and one for logfmt. Undefined: anything. */
type ValueText = Readonly<Record<Parser, string>> | undefined;

/** Stages that change no line, and make no labels of it. */
const HARMLESS: ReadonlySet<PipelineStage["kind"]> = new Set(["line-filter", "label-filter", "drop", "keep"]);
const MAX_LENGTH = 200;
/** Larger numbers may be written with an exponent. */
const MAX_NUMBER = 1e15;

/**
 * What lines must have, so that a label that only a parser can find in them passes a filter: after `| json`, `status >= 500`
 * is met by none without `"status": ` and a number from 500 on. Stores leave out most lines by it that would have to be parsed.
 */
export function impliedLines(stages: readonly PipelineStage[]): readonly LineHint[] {
  const parsers = new Set<Parser>();
  const hints: LineHint[] = [];
  for (const stage of stages) {
    const parser = parserOf(stage);
    if (parser) parsers.add(parser);
    else if (!HARMLESS.has(stage.kind)) break;
    if (stage.kind === "label-filter" && parsers.size > 0) hints.push(...hintsOf(stage.filter, parsers));
  }
  return hints;
}

function parserOf(stage: PipelineStage): Parser | undefined {
  if (stage.kind === "json") return stage.extractions.length === 0 ? "json" : undefined;
  if (stage.kind !== "logfmt" || stage.keepEmpty || stage.extractions.length > 0) return undefined;
  return "logfmt";
}

function hintsOf(filter: LabelFilter, parsers: ReadonlySet<Parser>): readonly LineHint[] {
  switch (filter.kind) {
    case "and":
      return [...hintsOf(filter.left, parsers), ...hintsOf(filter.right, parsers)];
    case "matcher": {
      const { name, op, value } = inSingleLines(filter.matcher);
      if (compileMatcher({ name, op, value })("")) return [];
      return hintOf(name, op === "=" ? exactly(value) : undefined, parsers);
    }
    case "number":
      return hintOf(filter.name, numberText(filter), parsers);
    case "duration":
    case "bytes":
      return hintOf(filter.name, undefined, parsers);
    default:
      return [];
  }
}

function hintOf(label: string, value: ValueText, parsers: ReadonlySet<Parser>): readonly LineHint[] {
  // All else of a key may have been another character.
  const [end] = /[A-Za-z0-9]+$/.exec(label) ?? [];
  if (end === undefined || label.length > MAX_LENGTH || !isStoredLabel(label)) return [];
  // With escapes a key and a value may be written in other ways.
  const alternatives = ["\\\\"];
  if (parsers.has("json")) alternatives.push(`${end}[^A-Za-z0-9"]*"\\s*:\\s*${value?.json ?? ""}`);
  if (parsers.has("logfmt")) alternatives.push(`${end}[^A-Za-z0-9=]*=${value?.logfmt ?? ""}`);
  return [{ label, text: alternatives.join("|") }];
}

/** Characters that a parser replaces are not looked for. */
function exactly(value: string): ValueText {
  if (value.length > MAX_LENGTH || !/^[!-~]+$/.test(value)) return undefined;
  const text = value.replaceAll(/[^\w]/g, "\\$&");
  // An object's value of no name has the name of the object.
  return { json: `(?:\\{|"?${text})`, logfmt: `"?${text}` };
}

/** Leaves out nothing but plain decimal numbers that are too large or too small. */
function numberText({ op, value }: ComparingFilter): ValueText {
  if (op === "!=" || !(value >= 0 && value < MAX_NUMBER)) return undefined;
  const whole = String(Math.floor(value));
  const plain = [...(op.startsWith("<") ? [] : atLeast(whole)), ...(op.startsWith(">") ? [] : atMost(whole))];
  const integers = op === "==" ? [whole] : plain;
  // What follows a number that is all of the value: within quotes nothing but the other quote.
  const notOther = (behind: string) => {
    const other = [`[^0-9"]`, `0[0-9]`, `\\d+[^0-9.${behind}]`, `\\d+\\.\\d*[^0-9${behind}]`];
    return `(?:${[...other, `(?:${integers.join("|")})(?:[^0-9]|$)`].join("|")})`;
  };
  const text = (behind: string) => `(?:""|"${notOther('"')}|${notOther(behind)})`;
  return { json: text("\\s,}\\]"), logfmt: text("\\s") };
}

/** Whole numbers, in digits without zeros before them. */
function atLeast(digits: string): readonly string[] {
  const more = [...digits].flatMap((digit, i) => {
    if (digit === "9") return [];
    return `${digits.slice(0, i)}[${Number(digit) + 1}-9]\\d{${digits.length - i - 1}}`;
  });
  return [digits, ...more, `\\d{${digits.length + 1},}`];
}

function atMost(digits: string): readonly string[] {
  const less = [...digits].flatMap((digit, i) => {
    if (digit === "0") return [];
    return `${digits.slice(0, i)}[0-${Number(digit) - 1}]\\d{${digits.length - i - 1}}`;
  });
  const fewer = digits.length > 1 ? [`\\d{1,${digits.length - 1}}`] : [];
  return [digits, ...less, ...fewer];
}

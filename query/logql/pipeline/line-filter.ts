import type { LineFilter } from "@sightline/model/line-filter.ts";
import { compileRegex, quoteRegex } from "@sightline/model/regex.ts";
import type { LineFilterOperand, LineFilterStage } from "../ast.ts";
import { regexProblem } from "../parse/problems.ts";
import { containsIp, parseIpRange } from "./ip-address.ts";
import { PatternError, parsePattern } from "./pattern.ts";
import { StageError } from "./stage.ts";

export type LinePredicate = (line: string) => boolean;

/** Throws {@link StageError} in Loki's words. */
export function compileLineFilter({ op, operands }: LineFilterStage): LinePredicate {
  const isNegative = op.startsWith("!");
  const tests = alternativesOf(operands, isNegative).map((operand) => compileOperand(op, operand));
  const [only] = tests;
  if (only && tests.length === 1) return isNegative ? (line) => !only(line) : only;
  return (line) => {
    for (const test of tests) if (test(line)) return !isNegative;
    return isNegative;
  };
}

/** What matches every line is no alternative: Loki leaves it out, unless there is nothing else. */
function alternativesOf(operands: readonly LineFilterOperand[], isNegative: boolean): readonly LineFilterOperand[] {
  if (isNegative) return operands;
  const selective = operands.filter(({ text, isIp }) => isIp || (text !== "" && text !== ".*"));
  return selective.length > 0 ? selective : operands.slice(0, 1);
}

function compileOperand(op: LineFilterStage["op"], { text, isIp }: LineFilterOperand): LinePredicate {
  if (isIp) return compileIp(op, text);
  switch (op) {
    case "|=":
    case "!=":
      return (line) => line.includes(text);
    case "|~":
    case "!~": {
      const regex = compiled(text);
      return (line) => regex.matchesSomewhere(line);
    }
    default: {
      const pattern = compilePattern(text);
      return (line) => pattern.matches(line);
    }
  }
}

function compileIp(op: LineFilterStage["op"], text: string): LinePredicate {
  if (op !== "|=" && op !== "!=") throw new StageError("ip: invalid operation");
  const range = parseIpRange(text);
  if (!range) throw new StageError(`ip: invalid pattern: ${JSON.stringify(text)}`);
  return (line) => containsIp(line, range);
}

function compiled(source: string) {
  try {
    return compileRegex(source);
  } catch (cause) {
    throw new StageError(regexProblem(cause), { cause });
  }
}

function compilePattern(text: string) {
  try {
    const pattern = parsePattern(text);
    pattern.checkUnnamed();
    return pattern;
  } catch (cause) {
    if (cause instanceof PatternError) throw new StageError(cause.message, { cause });
    throw cause;
  }
}

/** The filter as every log store knows it: a conjunction. `isExact` when nothing is left to check. */
export type LoweredFilter = { readonly filters: readonly LineFilter[]; readonly isExact: boolean };

/** Alternatives of `|=` and `|~` become one regular expression; those of `!=` and `!~` one filter each. */
export function lowerLineFilter({ op, operands }: LineFilterStage): LoweredFilter {
  const isNegative = op.startsWith("!");
  if (op === "!>" || operands.some(({ isIp }) => isIp)) return { filters: [], isExact: false };
  const texts = alternativesOf(operands, isNegative).map(({ text }) => text);
  if (op === "|>") return { filters: texts.length === 1 ? literalsOf(texts[0] as string) : [], isExact: false };
  if (isNegative || texts.length === 1) return { filters: texts.map((text) => ({ op, text })), isExact: true };
  const alternatives = texts.map((text) => `(?:${op === "|=" ? quoteRegex(text) : text})`);
  return { filters: [{ op: "|~", text: alternatives.join("|") }], isExact: true };
}

function literalsOf(pattern: string): readonly LineFilter[] {
  return parsePattern(pattern).literals.map((text) => ({ op: "|=", text }));
}

import { quote } from "@sightline/model/go-quote.ts";
import type { NumberLiteral } from "../ast.ts";
import { parseDuration } from "../format/duration.ts";
import type { Token } from "./lexer.ts";
import type { TokenStream } from "./token-stream.ts";

/** The literal that the current token is: a number, or a duration in seconds. */
export function parseNumberOrDuration(tokens: TokenStream): NumberLiteral {
  const token = tokens.current;
  if (token.kind !== "number" && token.kind !== "duration") return tokens.unexpected();
  tokens.take();
  const range = { start: token.start, end: token.end };
  if (token.kind === "duration")
    return { kind: "number", value: durationSeconds(tokens, token), duration: true, range };
  const value = numberValue(token.text);
  if (value === undefined || (Math.abs(value) === Number.POSITIVE_INFINITY && /[0-9]/.test(token.text))) {
    const fault = value === undefined ? "invalid syntax" : "value out of range";
    throw tokens.error(range, `error parsing number: strconv.ParseFloat: parsing ${quote(token.text)}: ${fault}`);
  }
  return { kind: "number", value, duration: false, range };
}

function durationSeconds(tokens: TokenStream, token: Token): number {
  const durationMs = parseDuration(token.text);
  if (durationMs === undefined) throw tokens.error(token, durationFault(token.text));
  if (/[0-9]{20}/.test(token.text)) throw tokens.error(token, `not a valid duration string: ${quote(token.text)}`);
  if (durationMs === Number.POSITIVE_INFINITY) throw tokens.error(token, "duration out of range");
  return durationMs / 1000;
}

/** Units are looked up before their order is checked (model.ParseDuration). */
function durationFault(text: string): string {
  const unit = [...text.matchAll(/[^0-9]+/g)].map(([found]) => found).find((found) => !/^(ms|[smhdwy])$/.test(found));
  return unit === undefined
    ? `not a valid duration string: ${quote(text)}`
    : `unknown unit ${quote(unit)} in duration ${quote(text)}`;
}

const MAX_INT64 = 2n ** 63n - 1n;
/** Leading zeros are allowed; a text of any length is not made a number. */
const MAX_HEXADECIMAL_DIGITS = 1_000;
const DIGITS = "[0-9](?:_?[0-9])*";
const DECIMAL = new RegExp(`^(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`);

/**
 * Integers as Go reads literals (hexadecimal, a leading zero means octal, underscores between digits), else decimal
 * floats, which may have underscores, too. Undefined when it is neither.
 */
export function numberValue(text: string): number | undefined {
  const lower = text.toLowerCase();
  if (lower === "inf") return Number.POSITIVE_INFINITY;
  if (lower === "nan") return Number.NaN;
  if (/^0x_?[0-9a-f]+(_[0-9a-f]+)*$/.test(lower)) return hexadecimalValue(lower.replaceAll("_", ""));
  if (/^0(_?[0-7]+)+$/.test(lower)) return Number.parseInt(lower.replaceAll("_", ""), 8);
  if (/^(0|[1-9][0-9]*(_[0-9]+)*)$/.test(lower)) return Number(lower.replaceAll("_", ""));
  return DECIMAL.test(lower) ? Number(lower.replaceAll("_", "")) : undefined;
}

/** As a float it would need an exponent, so that what does not fit int64 is none. */
function hexadecimalValue(text: string): number | undefined {
  const value = text.length > 2 + MAX_HEXADECIMAL_DIGITS ? undefined : BigInt(text);
  return value === undefined || value > MAX_INT64 ? undefined : Number(value);
}

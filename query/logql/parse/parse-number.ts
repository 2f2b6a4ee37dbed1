import type { ParseError } from "@sightline/model/errors.ts";
import { type Place, parseErrorOf } from "./problems.ts";
import type { TokenStream } from "./token-stream.ts";

/**
 * A number as Go's strconv.ParseFloat reads it; undefined when it is none. Digits may be grouped by underscores, and
 * hexadecimal needs an exponent.
 */
export function parseGoNumber(text: string): number | undefined {
  const decimal = /^[+-]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?$/.test(text);
  if (decimal) return /__|_(?:\D|$)|\D_/.test(text) ? undefined : Number(text.replaceAll("_", ""));
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special) {
    if (special[2]?.toLowerCase() === "nan") return Number.NaN;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const hex = /^([+-]?)0[xX]([\da-fA-F_]*)\.?([\da-fA-F_]*)[pP]([+-]?\d+)$/.exec(text);
  if (!hex) return undefined;
  const [, sign, whole = "", fraction = "", exponent] = hex;
  const digits = (whole + fraction).replaceAll("_", "");
  if (digits === "") return undefined;
  const value = Number.parseInt(digits, 16) * 2 ** (Number(exponent) - 4 * fraction.replaceAll("_", "").length);
  return sign === "-" ? -value : value;
}

/** What Go says of a text that {@link parseGoNumber} can't read. */
export function goNumberProblem(text: string): string {
  return `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`;
}

/** `problem` is for whoever reads the tree: Loki reports it only once all of the query has been read. */
export type Literal = { readonly value: number; readonly place: Place; readonly problem?: ParseError | undefined };

/** `5`, `+5` or `-5`. */
export function parseLiteral(tokens: TokenStream): Literal {
  const start = tokens.current.start;
  const sign = tokens.is("+", "-") ? tokens.take().kind : "+";
  const { text, end } = tokens.expect("NUMBER");
  const place = { start, end };
  const value = parseGoNumber(text);
  if (value === undefined) {
    const problem = parseErrorOf(place, `unable to parse literal as a float: ${goNumberProblem(text)}`);
    return { value: 0, place, problem };
  }
  return { value: sign === "-" ? -value : value, place };
}

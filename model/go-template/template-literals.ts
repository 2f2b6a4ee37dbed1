import { unquote } from "../go-quote.ts";
import { TemplateProblem } from "./template-problem.ts";

/** What a constant is as a float, and as an integer where it is one. */
export type Constant = { readonly float: number; readonly int: bigint | undefined };

/** Of a character in single quotes, with Go's escapes. Throws {@link TemplateProblem}. */
export function characterOf(literal: string): Constant {
  const text = unquote(`"${literal.slice(1, -1).replaceAll('"', '\\"').replaceAll("\\'", "'")}"`) ?? "";
  const code = text.codePointAt(0);
  if (code === undefined || [...text].length > 1) throw new TemplateProblem(`malformed character constant: ${literal}`);
  return { float: code, int: BigInt(code) };
}

/** Of a number in any of Go's notations; integers have 64 bits. Throws {@link TemplateProblem}. */
export function numberOf(text: string): Constant {
  const plain = text.replaceAll("_", "");
  const unsigned = plain.replace(/^[+-]/, "");
  const isNegative = plain.startsWith("-");
  if (/^(0[xXbBoO][\da-fA-F]+|\d+)$/.test(unsigned)) {
    const octal = /^0\d+$/.test(unsigned) ? `0o${unsigned.slice(1)}` : unsigned;
    try {
      const value = BigInt(octal);
      const int = isNegative ? -value : value;
      if (BigInt.asIntN(64, int) !== int) throw new TemplateProblem(`integer overflow: ${JSON.stringify(text)}`);
      return { float: Number(int), int };
    } catch (cause) {
      if (cause instanceof TemplateProblem) throw cause;
      throw new TemplateProblem(`bad number syntax: ${JSON.stringify(text)}`);
    }
  }
  const float = Number(plain);
  if (Number.isNaN(float)) throw new TemplateProblem(`bad number syntax: ${JSON.stringify(text)}`);
  return { float, int: Number.isInteger(float) ? BigInt(float) : undefined };
}

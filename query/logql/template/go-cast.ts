import { type GoValue, Int64, NamedInt } from "@sightline/model/go-template/go-value.ts";
import { parseGoNumber } from "../parse/parse-number.ts";

/** cast.ToInt64: 0 for what is no number. Strings may be hexadecimal, octal or binary; a fraction is dropped. */
export function castInt(value: GoValue): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Int64 || isByte(value)) return value.value;
  if (typeof value === "number") return Number.isFinite(value) ? BigInt.asIntN(64, BigInt(Math.trunc(value))) : 0n;
  if (typeof value === "boolean") return value ? 1n : 0n;
  return typeof value === "string" ? intOfText(value) : 0n;
}

/** Of a text, by `index`. Other named numbers, as durations, are none for a cast. */
function isByte(value: GoValue): value is NamedInt {
  return value instanceof NamedInt && value.typeName === "uint8";
}

function intOfText(text: string): bigint {
  const plain = text.replace(/^([+-]?\d+)\.\d*$/, "$1");
  const match = /^([+-]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/.exec(
    plain.replaceAll(/(?<=\d)_(?=\d)/g, ""),
  );
  if (!match) return 0n;
  const digits = (match[2] as string).replace(/^0(?=[0-7]+$)/, "0o");
  const value = BigInt(digits);
  const signed = match[1] === "-" ? -value : value;
  return BigInt.asIntN(64, signed) === signed ? signed : 0n;
}

/** cast.ToFloat64: 0 for what is no number. */
export function castFloat(value: GoValue): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Int64 || isByte(value)) return Number(value.value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "string" ? (parseGoNumber(value) ?? 0) : 0;
}

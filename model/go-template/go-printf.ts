import { quote, quoteRune } from "../go-quote.ts";
import {
  display,
  displayFloat,
  GoMap,
  type GoValue,
  Int64,
  isList,
  NamedInt,
  NamedText,
  namedMethod,
  typeName,
} from "./go-value.ts";
import { hexadecimalFloat } from "./hexadecimal-float.ts";

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(?:\[(\d+)\])?(.)?/gsu;
/** Widths and precisions beyond this are not honoured: a short format must not make a long text. */
const MAX_WIDTH = 1_000;

/** fmt.Sprintf, for the values that templates have. What does not fit its verb is shown as `%!d(string=x)`, as in Go. */
export function goPrintf(
  format: string,
  args: readonly GoValue[],
  reserve: (characters: number) => void = () => {},
): string {
  let next = 0;
  let isReordered = false;
  const text = format.replaceAll(VERB, (all, ...groups: (string | undefined)[]) => {
    const [flags = "", width, precision, argument, verb] = groups;
    if (argument !== undefined) {
      isReordered = true;
      next = Number(argument) - 1;
      if (next < 0 || next >= args.length) return `%!${verb}(BADINDEX)`;
    }
    const starWidth = width === "*" ? Number(args[next++]) : Number(width ?? 0);
    const hasPrecision = all.includes(".");
    const starPrecision = precision === "*" ? Number(args[next++]) : Number(precision ?? 0);
    if (verb === "%") return "%";
    if (verb === undefined) return "%!(NOVERB)";
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const spec: Spec = {
      flags: starWidth < 0 ? `${flags}-` : flags,
      verb,
      width: Math.min(Math.abs(starWidth), MAX_WIDTH),
      precision: hasPrecision ? Math.min(starPrecision, MAX_WIDTH) : undefined,
    };
    const piece = formatVerb(spec, args[next++] as GoValue);
    reserve(piece.length);
    return piece;
  });
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${display(arg)}`);
  return extra.length > 0 && !isReordered ? `${text}%!(EXTRA ${extra.join(", ")})` : text;
}

type Spec = {
  readonly flags: string;
  readonly verb: string;
  readonly width: number;
  readonly precision: number | undefined;
};

function pad(text: string, { flags, verb, width }: Spec): string {
  const missing = width - [...text].length;
  if (!(missing > 0)) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (!flags.includes("0") || !/[dxXobeEfFgGsvqt]/.test(verb) || /^[+-]?Inf|NaN/.test(text))
    return " ".repeat(missing) + text;
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + "0".repeat(missing) + text.slice(sign.length);
}

function formatVerb(spec: Spec, value: GoValue): string {
  const { verb } = spec;
  if (verb === "T") return pad(typeName(value), spec);
  // What has a method `String` is its text for verbs that take texts; so is a text of another name.
  if (/[sqxX]/.test(verb) && (value instanceof NamedText || namedMethod(value, "String")))
    return pad(formatText(spec, display(value)) as string, spec);
  if (value instanceof GoMap) {
    const entries = value.sortedKeys().map((key) => `${formatVerb(spec, key)}:${formatVerb(spec, value.get(key))}`);
    return `map[${entries.join(" ")}]`;
  }
  if (isList(value)) return `[${value.map((one) => formatVerb(spec, one)).join(" ")}]`;
  if (verb === "v")
    return pad(spec.flags.includes("#") && typeof value === "string" ? quote(value) : display(value), spec);
  const formatted = formatTyped(spec, value);
  return formatted === undefined ? badVerb(spec, value) : pad(formatted, spec);
}

/** What does not fit the verb is shown with its type, of the width and precision that were asked for. */
function badVerb(spec: Spec, value: GoValue): string {
  if (value === null) return `%!${spec.verb}(<nil>)`;
  const { precision } = spec;
  let shown = display(value);
  if (precision !== undefined) {
    if (typeof value === "string") shown = [...value].slice(0, precision).join("");
    else if (typeof value === "bigint" || value instanceof Int64)
      shown = shown.replace(/\d+/, (all) => all.padStart(precision, "0"));
    else if (typeof value === "number") shown = formatFloat({ ...spec, verb: "g" }, value) as string;
  }
  return `%!${spec.verb}(${typeName(value)}=${pad(shown, { ...spec, verb: "v" })})`;
}

function formatTyped(spec: Spec, value: GoValue): string | undefined {
  if (typeof value === "string") return formatText(spec, value);
  if (typeof value === "bigint") return formatInt(spec, value);
  if (value instanceof Int64) return formatInt(spec, value.value);
  if (value instanceof NamedInt) return spec.verb === "s" ? value.text : formatInt(spec, value.value);
  if (typeof value === "number") return formatFloat(spec, value);
  if (typeof value === "boolean") return spec.verb === "t" ? String(value) : undefined;
  return spec.verb === "s" && value !== null ? display(value) : undefined;
}

function formatText({ verb, precision, flags }: Spec, value: string): string | undefined {
  const text = precision === undefined ? value : [...value].slice(0, precision).join("");
  switch (verb) {
    case "s":
      return text;
    case "q":
      return flags.includes("#") && !text.includes("`") ? `\`${text}\`` : quote(text);
    case "x":
    case "X": {
      const bytes = Buffer.from(text).toString("hex");
      const hex = flags.includes(" ") ? bytes.replaceAll(/(..)(?=.)/g, "$1 ") : bytes;
      return verb === "X" ? hex.toUpperCase() : hex;
    }
    default:
      return undefined;
  }
}

const RADIX: Readonly<Record<string, number>> = { d: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const PREFIX: Readonly<Record<string, string>> = { b: "0b", o: "0", x: "0x", X: "0X" };

function formatInt({ verb, flags }: Spec, value: bigint): string | undefined {
  const radix = RADIX[verb];
  if (radix !== undefined) {
    const digits = (value < 0n ? -value : value).toString(radix);
    const shown = verb === "X" ? digits.toUpperCase() : digits;
    return signOf(value < 0n, flags) + prefixOf(verb, flags) + shown;
  }
  const isCharacter = value >= 0n && value <= 0x10ffffn;
  if (verb === "c") return isCharacter ? String.fromCodePoint(Number(value)) : "\ufffd";
  if (verb === "U") return `U+${value.toString(16).toUpperCase().padStart(4, "0")}`;
  if (verb === "q") return quoteRune(isCharacter ? String.fromCodePoint(Number(value)) : "\ufffd");
  return undefined;
}

function prefixOf(verb: string, flags: string): string {
  if (verb === "O") return "0o";
  return flags.includes("#") ? (PREFIX[verb] ?? "") : "";
}

function signOf(isNegative: boolean, flags: string): string {
  if (isNegative) return "-";
  if (flags.includes("+")) return "+";
  return flags.includes(" ") ? " " : "";
}

function formatFloat({ verb, precision, flags }: Spec, value: number): string | undefined {
  if (!/[eEfFgGxX]/.test(verb)) return undefined;
  const digits = Math.min(precision ?? 6, 100);
  const absolute = Math.abs(value);
  let text: string;
  if (!Number.isFinite(value)) text = displayFloat(absolute).replace("+", "");
  else if (verb === "x" || verb === "X") text = hexadecimalFloat(absolute, precision);
  else if (verb === "f" || verb === "F") text = toFixed(absolute, digits);
  else if (verb === "e" || verb === "E") text = twoDigitExponent(toExponential(absolute, digits));
  else text = precision === undefined ? displayFloat(absolute) : general(absolute, digits);
  const isNegative = value < 0 || Object.is(value, -0);
  // Infinity always has its sign.
  if (value === Number.POSITIVE_INFINITY) return `${signOf(false, flags) || "+"}${text}`;
  return signOf(isNegative, flags) + (/[EGX]/.test(verb) ? text.toUpperCase() : text);
}

/** JavaScript's toFixed gives up at 1e21, and rounds what is exactly between two up where Go takes the even one. */
function toFixed(value: number, digits: number): string {
  if (value < 1e21) {
    const rounded = value.toFixed(digits);
    const isTie = /^50*$/.test((value.toFixed(100).split(".")[1] as string).slice(digits));
    return isTie && /[13579]$/.test(rounded) ? previous(value, digits) : rounded;
  }
  return BigInt(value).toString() + (digits > 0 ? `.${"0".repeat(digits)}` : "");
}

/** Of what is exactly between two this takes the even one, too. */
function toExponential(value: number, digits: number): string {
  const [mantissa = "", exponent = ""] = value.toExponential(100).split("e");
  const cut = mantissa.slice(0, digits === 0 ? 1 : 2 + digits);
  const isTie = /^50*$/.test(mantissa.slice(2 + digits));
  return isTie && /[02468]$/.test(cut) ? `${cut}e${exponent}` : value.toExponential(digits);
}

/** The decimal below. */
function previous(value: number, digits: number): string {
  const exact = value.toFixed(100);
  return digits === 0 ? (exact.split(".")[0] as string) : exact.slice(0, exact.indexOf(".") + 1 + digits);
}

function general(value: number, precision: number): string {
  if (value === 0) return "0";
  const digits = Math.max(precision, 1);
  const exponent = Number(/e(.*)$/.exec(toExponential(value, digits - 1))?.[1]);
  if (exponent < -4 || exponent >= digits) {
    return twoDigitExponent(toExponential(value, digits - 1).replace(/\.?0+e/, "e"));
  }
  const fixed = toFixed(value, Math.max(0, digits - 1 - exponent));
  return fixed.includes(".") ? fixed.replace(/\.?0+$/, "") : fixed;
}

function twoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

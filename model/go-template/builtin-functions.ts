import { urlEncode } from "../go-text.ts";
import { goPrintf } from "./go-printf.ts";
import {
  display,
  GoMap,
  GoTimeValue,
  type GoValue,
  Int64,
  isList,
  isTrue,
  NamedInt,
  NamedText,
  typeName,
} from "./go-value.ts";
import type { TemplateFunction, TemplateFunctions } from "./template-function.ts";

/** fmt.Sprint: a space between two operands that are no strings. */
function sprint(args: readonly GoValue[]): string {
  let text = "";
  for (const [i, arg] of args.entries()) {
    const isApart = i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string";
    text += (isApart ? " " : "") + display(arg);
  }
  return text;
}

function asText(args: readonly GoValue[]): string {
  return args.length === 1 && typeof args[0] === "string" ? args[0] : sprint(args);
}

/** html, js and urlquery show nil as the output does. */
function htmlText(args: readonly GoValue[]): string {
  return args.length === 1 && args[0] === null ? "<no value>" : asText(args);
}

type Comparable = string | bigint | number | boolean;

/** Integers of all types compare with each other; everything else only with its own type. Undefined: not at all. */
function comparable(value: GoValue): Comparable | undefined {
  if (value instanceof Int64 || value instanceof NamedInt) return value.value;
  if (value instanceof NamedText) return value.text;
  return value === null || typeof value === "object" ? undefined : value;
}

function incompatible(a: GoValue, b: GoValue): Error {
  return new Error(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function equal(a: GoValue, b: GoValue): boolean {
  if (a === null || b === null) return a === b;
  const [left, right] = [comparable(a), comparable(b)];
  if (typeof left !== typeof right) throw incompatible(a, b);
  if (left !== undefined) return left === right;
  if (a instanceof GoTimeValue && b instanceof GoTimeValue) return a.time.ns === b.time.ns;
  if (typeName(a) !== typeName(b)) throw incompatible(a, b);
  throw new Error(`non-comparable type ${goPrintf("%s", [a])}: ${typeName(a)}`);
}

function less(a: GoValue, b: GoValue): boolean {
  const [left, right] = [comparable(a), comparable(b)];
  if (left === undefined || right === undefined) throw new Error("invalid type for comparison");
  if (typeof left !== typeof right) throw incompatible(a, b);
  if (typeof left === "boolean") throw new Error("invalid type for comparison");
  return left < right;
}

function ordering(call: (a: GoValue, b: GoValue) => boolean): TemplateFunction {
  return { parameters: ["any", "any"], call: ([a, b]) => call(a as GoValue, b as GoValue) };
}

function length(value: GoValue): bigint {
  if (typeof value === "string") return BigInt(Buffer.byteLength(value));
  if (value instanceof NamedText) return BigInt(Buffer.byteLength(value.text));
  if (isList(value)) return BigInt(value.length);
  if (value instanceof GoMap) return BigInt(value.entries.size);
  throw new Error(
    value === null ? "reflect: call of reflect.Value.Type on zero Value" : `len of type ${typeName(value)}`,
  );
}

function indexOf(value: GoValue, length: number): number {
  if (typeof value !== "bigint" && !(value instanceof Int64)) {
    throw new Error(
      value === null ? "cannot index slice/array with nil" : `cannot index slice/array with type ${typeName(value)}`,
    );
  }
  const at = Number(value instanceof Int64 ? value.value : value);
  if (at < 0 || at > length) throw new Error(`index out of range: ${at}`);
  return at;
}

/** Go looks for an index just behind the end only when it reads there. */
function elementOf(value: GoValue, length: number, kind: "string" | "slice"): number {
  const at = indexOf(value, length);
  if (at === length) throw new Error(`reflect: ${kind} index out of range`);
  return at;
}

function index(item: GoValue, keys: readonly GoValue[]): GoValue {
  let value = item;
  for (const key of keys) {
    if (value instanceof GoMap) {
      if (typeof key !== "string") throw new Error(`value has type ${typeName(key)}; should be string`);
      value = value.get(key);
    } else if (isList(value)) {
      value = value[elementOf(key, value.length, "slice")] as GoValue;
    } else if (typeof value === "string") {
      const bytes = Buffer.from(value);
      const byte = bytes[elementOf(key, bytes.length, "string")] as number;
      value = new NamedInt("uint8", BigInt(byte), String(byte));
    } else {
      throw new Error(value === null ? "index of untyped nil" : `can't index item of type ${typeName(value)}`);
    }
  }
  return value;
}

function slice(item: GoValue, bounds: readonly GoValue[]): GoValue {
  if (typeof item === "string" && bounds.length > 2) throw new Error("cannot 3-index slice a string");
  if (typeof item !== "string" && !isList(item)) throw new Error(`can't slice item of type ${typeName(item)}`);
  const bytes = typeof item === "string" ? Buffer.from(item) : undefined;
  const size = bytes ? bytes.length : (item as readonly GoValue[]).length;
  const [from = 0, to = size] = bounds.map((bound) => indexOf(bound, size));
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  return bytes ? bytes.subarray(from, to).toString() : (item as readonly GoValue[]).slice(from, to);
}

const HTML: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\0": "\ufffd",
};

/** What has a meaning in JavaScript or HTML, and what can't be seen. */
const FOR_JS = /[\\'"<>&=]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

function escapeForJs(char: string): string {
  if (char === "\\" || char === "'" || char === '"') return `\\${char}`;
  return `\\u${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}`;
}

function ofValues(call: (args: readonly GoValue[]) => GoValue): TemplateFunction {
  return { parameters: ["any"], isVariadic: true, call };
}

function itemAndMore(call: (item: GoValue, rest: readonly GoValue[]) => GoValue): TemplateFunction {
  return { parameters: ["any", "any"], isVariadic: true, call: ([item, ...rest]) => call(item as GoValue, rest) };
}

/** Functions that every Go template has (text/template/funcs.go). `and` and `or` are evaluated where they stand. */
export const BUILTIN_FUNCTIONS: TemplateFunctions = {
  and: itemAndMore((first, rest) => [first, ...rest].find((value) => !isTrue(value)) ?? rest.at(-1) ?? first),
  or: itemAndMore((first, rest) => [first, ...rest].find(isTrue) ?? rest.at(-1) ?? first),
  not: { parameters: ["any"], call: ([value]) => !isTrue(value as GoValue) },
  len: { parameters: ["any"], call: ([value]) => length(value as GoValue) },
  index: itemAndMore(index),
  slice: itemAndMore(slice),
  print: ofValues(sprint),
  println: ofValues((args) => `${args.map(display).join(" ")}\n`),
  printf: {
    parameters: ["string", "any"],
    isVariadic: true,
    call: ([format, ...args], work) => goPrintf(format as string, args, (length) => work.reserve(length)),
  },
  html: ofValues((args) => htmlText(args).replaceAll(/[&<>"'\0]/g, (char) => HTML[char] as string)),
  js: ofValues((args) => asText(args).replaceAll(FOR_JS, escapeForJs)),
  /** Always fails, where it stands. */
  call: itemAndMore(() => null),
  urlquery: ofValues((args) => urlEncode(asText(args))),
  eq: itemAndMore((first, rest) => {
    if (rest.length === 0) throw new Error("missing argument for comparison");
    return rest.some((value) => equal(first, value));
  }),
  ne: ordering((a, b) => !equal(a, b)),
  lt: ordering(less),
  le: ordering((a, b) => less(a, b) || equal(a, b)),
  gt: ordering((a, b) => !(less(a, b) || equal(a, b))),
  ge: ordering((a, b) => !less(a, b)),
};

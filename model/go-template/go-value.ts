import { formatGoTime, type GoTime } from "./go-time.ts";

/**
 * A value of Go as a template sees it: string, bigint (`int`), {@link Int64}, number (`float64`), boolean, time, list of
 * anything, map, struct, {@link NamedInt}, {@link NamedText}, or null (`nil`).
 */
export type GoValue =
  | string
  | bigint
  | Int64
  | number
  | boolean
  | GoTimeValue
  | readonly GoValue[]
  | GoMap
  | GoStruct
  | NamedInt
  | NamedText
  | null;

/** What templates may call on a value of a named type: the receiver comes first. Throws as functions do. */
export type ValueMethod = {
  readonly parameters: readonly ParameterType[];
  readonly isVariadic?: boolean;
  readonly call: (receiver: GoValue, args: readonly GoValue[]) => GoValue;
};
/** Types of parameters; `any` takes every value. */
export type ParameterType = "string" | "int" | "float64" | "any" | "time" | "bool" | "duration" | "strings";

/** A type of Go that was given a name (`template.KV`), and perhaps methods. */
export type GoType = { readonly name: string; readonly methods?: ReadonlyMap<string, ValueMethod> };

/** What arithmetic gives: an `int64`, which is no `int` where a function wants one. */
export class Int64 {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = BigInt.asIntN(64, value);
  }
}

/** A whole number of a type that shows itself as a text: a month, a day of the week, a duration. */
export class NamedInt {
  readonly typeName: string;
  readonly value: bigint;
  readonly text: string;

  constructor(typeName: string, value: bigint, text: string) {
    this.typeName = typeName;
    this.value = value;
    this.text = text;
  }
}

/** A text of a type of its own, such as `template.HTML`: no `string` where a function wants one. */
export class NamedText {
  readonly typeName: string;
  readonly text: string;

  constructor(typeName: string, text: string) {
    this.typeName = typeName;
    this.text = text;
  }
}

/** A struct, or a pointer to one: unlike a map it has the fields it has, and no others. */
export class GoStruct {
  readonly type: GoType;
  /** In the order in which they are printed. */
  readonly fields: ReadonlyMap<string, GoValue>;

  constructor(type: GoType, fields: ReadonlyMap<string, GoValue>) {
    this.type = type;
    this.fields = fields;
  }
}

/** A list of a named type, for its methods. Lists without a name are arrays. */
export class GoList extends Array<GoValue> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  readonly type: GoType;

  constructor(type: GoType, values: readonly GoValue[]) {
    super();
    this.type = type;
    for (const value of values) this.push(value);
  }
}

export class GoTimeValue {
  readonly time: GoTime;

  constructor(time: GoTime) {
    this.time = time;
  }
}

/**
 * A map of strings to strings, or with `isOfAny` to anything. That decides what a missing key is under the option
 * `missingkey=zero`, which all our templates have: the empty string, or what is shown as `<no value>`.
 */
export class GoMap {
  readonly entries: ReadonlyMap<string, GoValue>;
  readonly isOfAny: boolean;
  /** Absent: the map has no name. */
  readonly type: GoType | undefined;

  constructor(entries: ReadonlyMap<string, GoValue>, isOfAny: boolean, type?: GoType) {
    this.entries = entries;
    this.isOfAny = isOfAny;
    this.type = type;
  }

  get(key: string): GoValue {
    return this.entries.get(key) ?? (this.isOfAny ? null : "");
  }

  /** In the order in which Go walks and prints a map. */
  sortedKeys(): string[] {
    return [...this.entries.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }
}

/** Go's name of the type, for messages and `%T`. */
export function typeName(value: GoValue): string {
  if (value === null) return "nil";
  switch (typeof value) {
    case "string":
      return "string";
    case "bigint":
      return "int";
    case "number":
      return "float64";
    case "boolean":
      return "bool";
    default:
  }
  if (value instanceof Int64) return "int64";
  if (value instanceof NamedInt || value instanceof NamedText) return value.typeName;
  if (value instanceof GoTimeValue) return "time.Time";
  if (value instanceof GoStruct) return value.type.name;
  if (value instanceof GoMap)
    return value.type?.name ?? (value.isOfAny ? "map[string]interface {}" : "map[string]string");
  return value instanceof GoList ? value.type.name : "[]interface {}";
}

export function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value);
}

export function isTrue(value: GoValue): boolean {
  if (value instanceof Int64 || value instanceof NamedInt) return value.value !== 0n;
  if (value instanceof GoTimeValue || value instanceof GoStruct) return true;
  if (value instanceof NamedText) return value.text !== "";
  if (value instanceof GoMap) return value.entries.size > 0;
  if (isList(value)) return value.length > 0;
  return value !== null && value !== "" && value !== 0 && value !== 0n && value !== false;
}

/** The methods of its named type, if it has one. */
export function namedMethod(value: GoValue, name: string): ValueMethod | undefined {
  const isNamed = value instanceof GoStruct || value instanceof GoMap || value instanceof GoList;
  return isNamed ? value.type?.methods?.get(name) : undefined;
}

/**
 * As fmt's `%v` prints it: what has a method `String`, by that. Throws {@link ValueTooLongError} for a list or map that would
 * take a megabyte.
 */
export function display(value: GoValue): string {
  const budget = { left: MAX_DISPLAYED };
  return displayParts(value, (part) => displayWithin(part, budget));
}

/** One value would be longer than any output: a list of lists of lists. */
export class ValueTooLongError extends Error {
  override readonly name = "ValueTooLongError";
}

const MAX_DISPLAYED = 1024 * 1024;

/** Within a list or map; a text by itself is as long as it is. */
function displayWithin(value: GoValue, budget: { left: number }): string {
  const text = displayParts(value, (part) => displayWithin(part, budget));
  if (isContainer(value)) return text;
  budget.left -= text.length + 1;
  if (budget.left < 0) throw new ValueTooLongError(`one value has more than ${MAX_DISPLAYED} characters`);
  return text;
}

function isContainer(value: GoValue): boolean {
  return value instanceof GoStruct || value instanceof GoMap || isList(value);
}

function displayParts(value: GoValue, within: (part: GoValue) => string): string {
  if (value === null) return "<nil>";
  const shown = namedMethod(value, "String")?.call(value, []);
  if (typeof shown === "string") return shown;
  if (typeof value === "number") return displayFloat(value);
  if (value instanceof Int64) return String(value.value);
  if (value instanceof NamedInt || value instanceof NamedText) return value.text;
  if (value instanceof GoStruct) return `{${[...value.fields.values()].map(within).join(" ")}}`;
  if (value instanceof GoTimeValue) return formatGoTime(value.time, "2006-01-02 15:04:05.999999999 -0700 MST");
  if (value instanceof GoMap) {
    return `map[${value
      .sortedKeys()
      .map((key) => `${key}:${within(value.get(key))}`)
      .join(" ")}]`;
  }
  if (isList(value)) return `[${value.map(within).join(" ")}]`;
  return String(value);
}

/** `%v` of a float64: the shortest form, with an exponent below 1e-4 and from 1e6 on. */
export function displayFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const absolute = Math.abs(value);
  if (absolute !== 0 && (absolute < 1e-4 || absolute >= 1e6)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return String(value);
}

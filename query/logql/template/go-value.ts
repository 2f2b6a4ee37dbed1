import { formatGoTime, type GoTime } from "./go-time.ts";

/**
 * A value of Go as a template sees it: string, bigint (`int`), {@link Int64}, number (`float64`), boolean, time, list of
 * anything, map, {@link NamedInt}, or null (`nil`).
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
  | NamedInt
  | null;

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

export class GoTimeValue {
  readonly time: GoTime;

  constructor(time: GoTime) {
    this.time = time;
  }
}

/** A map of strings to strings, or with `isOfAny` to anything: that decides what a missing key is. */
export class GoMap {
  readonly entries: ReadonlyMap<string, GoValue>;
  readonly isOfAny: boolean;

  constructor(entries: ReadonlyMap<string, GoValue>, isOfAny: boolean) {
    this.entries = entries;
    this.isOfAny = isOfAny;
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
  if (value instanceof NamedInt) return value.typeName;
  if (value instanceof GoTimeValue) return "time.Time";
  if (value instanceof GoMap) return value.isOfAny ? "map[string]interface {}" : "map[string]string";
  return "[]interface {}";
}

export function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value);
}

export function isTrue(value: GoValue): boolean {
  if (value instanceof Int64 || value instanceof NamedInt) return value.value !== 0n;
  if (value instanceof GoTimeValue) return true;
  if (value instanceof GoMap) return value.entries.size > 0;
  if (isList(value)) return value.length > 0;
  return value !== null && value !== "" && value !== 0 && value !== 0n && value !== false;
}

/** As fmt's `%v` prints it. */
export function display(value: GoValue): string {
  if (value === null) return "<nil>";
  if (typeof value === "number") return displayFloat(value);
  if (value instanceof Int64) return String(value.value);
  if (value instanceof NamedInt) return value.text;
  if (value instanceof GoTimeValue) return formatGoTime(value.time, "2006-01-02 15:04:05.999999999 -0700 MST");
  if (value instanceof GoMap) {
    return `map[${value
      .sortedKeys()
      .map((key) => `${key}:${display(value.get(key))}`)
      .join(" ")}]`;
  }
  if (isList(value)) return `[${value.map(display).join(" ")}]`;
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

import { parseDuration } from "../promql/format/duration.ts";

/**
 * Numbers, times and durations as the Go servers whose APIs we speak read them from request parameters: clients and
 * their tests rely on what is taken and on the words of what is refused. Functions return undefined for text that is
 * not of the form; who calls words the error.
 */

const GO_FLOAT = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;

/** strconv.ParseFloat, without its hexadecimal form. */
export function parseGoFloat(text: string): number | undefined {
  if (!GO_FLOAT.test(text)) return undefined;
  const lower = text.toLowerCase();
  if (lower.endsWith("nan")) return Number.NaN;
  if (lower.includes("inf")) return lower.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const value = Number(text);
  // Go calls an overflow a range error, not infinity.
  return Number.isFinite(value) ? value : undefined;
}

/** strconv.ParseInt(text, 10, 64). */
export function parseGoInt(text: string): bigint | undefined {
  if (!/^[+-]?\d{1,25}$/.test(text)) return undefined;
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** The words of strconv for what {@link parseGoInt} did not take; `func` is the function that a server would have called. */
export function goIntError(func: "Atoi" | "ParseInt", text: string): string {
  const problem = /^[+-]?\d+$/.test(text) ? "value out of range" : "invalid syntax";
  return `strconv.${func}: parsing ${JSON.stringify(text)}: ${problem}`;
}

const GO_BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** strconv.ParseBool. */
export function parseGoBool(text: string): boolean | undefined {
  return GO_BOOLEANS.get(text);
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** time.Parse(time.RFC3339Nano, text) to nanoseconds since the epoch. */
export function parseRfc3339Ns(text: string): bigint | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  if (date.getUTCDate() !== day) return undefined;
  const offsetMinutes = Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0);
  const offsetMs = (match[8] === "-" ? -1 : 1) * offsetMinutes * 60_000;
  return BigInt(date.getTime() - offsetMs) * 1_000_000n + BigInt((match[7] ?? "").padEnd(9, "0"));
}

const MAX_GO_DURATION_MS = 9_223_372_036_854.775;

export type SecondsOrDuration = { readonly ms: number } | { readonly error: string };

/** A `step`, `timeout` or `interval`: a number of seconds, or a duration. The error is worded as Prometheus and Loki do. */
export function parseSecondsOrDuration(text: string): SecondsOrDuration {
  const seconds = parseGoFloat(text);
  if (seconds !== undefined && !Number.isNaN(seconds)) {
    const ms = seconds * 1_000;
    return Math.abs(ms) <= MAX_GO_DURATION_MS
      ? { ms }
      : { error: `cannot parse ${JSON.stringify(text)} to a valid duration. It overflows int64` };
  }
  const ms = parseDuration(text);
  return ms === undefined || ms > MAX_GO_DURATION_MS
    ? { error: `cannot parse ${JSON.stringify(text)} to a valid duration` }
    : { ms };
}

/** Seconds since the epoch with a fraction, which is rounded to milliseconds, as Go servers do. */
export function secondsToMs(seconds: number): number {
  const whole = Math.trunc(seconds);
  return whole * 1_000 + Math.round((seconds - whole) * 1_000);
}

/** {@link secondsToMs} of any size, to nanoseconds. */
export function secondsToNs(seconds: number): bigint {
  const whole = Math.trunc(seconds);
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.round((seconds - whole) * 1_000)) * 1_000_000n;
}

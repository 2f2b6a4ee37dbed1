const NS = 1;
const US = 1_000 * NS;
const MS = 1_000 * US;
const SECOND = 1_000 * MS;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const MAX_NS = 2 ** 63;

/** From the largest to the smallest: the order in which Prometheus wants them. */
const PROMETHEUS_UNITS: ReadonlyMap<string, { readonly ns: number; readonly rank: number }> = new Map(
  (["y", "w", "d", "h", "m", "s", "ms"] as const).map((unit, rank) => [
    unit,
    { rank, ns: { y: 365 * 24 * HOUR, w: 7 * 24 * HOUR, d: 24 * HOUR, h: HOUR, m: MINUTE, s: SECOND, ms: MS }[unit] },
  ]),
);
const GO_UNITS: ReadonlyMap<string, number> = new Map([
  ["ns", NS],
  ["us", US],
  ["µs", US],
  ["μs", US],
  ["ms", MS],
  ["s", SECOND],
  ["m", MINUTE],
  ["h", HOUR],
]);

export type ParsedDuration = { readonly ns: number } | { readonly error: string };

/** `1h30m` as prometheus/common's model.ParseDuration reads it, to nanoseconds, with its words for what is wrong. */
export function parsePrometheusDuration(text: string): ParsedDuration {
  if (text === "0") return { ns: 0 };
  if (text === "") return { error: "empty duration string" };
  const invalid = { error: `not a valid duration string: ${JSON.stringify(text)}` };
  let ns = 0;
  let lastRank = -1;
  let end = 0;
  for (const match of text.matchAll(/(\d+)(\D+)/gy)) {
    const unit = PROMETHEUS_UNITS.get(match[2] as string);
    if (!unit) return { error: `unknown unit ${JSON.stringify(match[2])} in duration ${JSON.stringify(text)}` };
    if (unit.rank <= lastRank) return invalid;
    lastRank = unit.rank;
    ns += Number(match[1]) * unit.ns;
    if (ns >= MAX_NS) return { error: "duration out of range" };
    end = match.index + match[0].length;
  }
  return end === text.length ? { ns } : invalid;
}

/** As Go's package time quotes: bytes that are not printable ASCII by their number. */
function quoteBytes(text: string): string {
  let out = "";
  for (const byte of Buffer.from(text)) {
    if (byte >= 0x80 || byte < 0x20) out += `\\x${byte.toString(16).padStart(2, "0")}`;
    else out += byte === 0x22 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte);
  }
  return `"${out}"`;
}

/** `1.5h`, `-20ms`, `1h2m` as Go's time.ParseDuration reads it, to nanoseconds, with its words for what is wrong. */
export function parseGoDuration(text: string): ParsedDuration {
  const quoted = quoteBytes(text);
  const invalid = { error: `time: invalid duration ${quoted}` };
  const sign = text.startsWith("-") ? -1 : 1;
  const rest = /^[-+]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return { ns: 0 };
  if (rest === "") return invalid;
  let ns = 0;
  let end = 0;
  for (const match of rest.matchAll(/(\d+\.?\d*|\.\d+)([^\d.]*)/gy)) {
    const [all, amount, unit] = match as unknown as [string, string, string];
    // Go says so before it looks for a unit.
    if (Number(/^\d+/.exec(amount)?.[0] ?? 0) > MAX_NS) return invalid;
    if (unit === "") return { error: `time: missing unit in duration ${quoted}` };
    const factor = GO_UNITS.get(unit);
    if (factor === undefined) {
      return { error: `time: unknown unit ${quoteBytes(unit)} in duration ${quoted}` };
    }
    ns += toNs(amount, factor);
    if (ns > MAX_NS) return invalid;
    end = match.index + all.length;
  }
  return end === rest.length ? { ns: sign * ns } : invalid;
}

/** Whole units exactly, the fraction truncated to whole nanoseconds. */
function toNs(amount: string, factor: number): number {
  const [whole, fraction] = amount.split(".");
  return Number(whole) * factor + (fraction ? Math.trunc(Number(`0.${fraction}`) * factor + 1e-9) : 0);
}

/** Go's time.Duration.String: `1h30m0s`, `1.5ms`, `0s`. */
export function formatGoDuration(ns: number): string {
  if (ns === 0) return "0s";
  const sign = ns < 0 ? "-" : "";
  const absolute = Math.abs(ns);
  if (absolute < US) return `${sign}${absolute}ns`;
  if (absolute < MS) return `${sign}${absolute / US}µs`;
  if (absolute < SECOND) return `${sign}${absolute / MS}ms`;
  const hours = Math.floor(absolute / HOUR);
  const minutes = Math.floor((absolute % HOUR) / MINUTE);
  const seconds = fraction(absolute % MINUTE);
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

function fraction(ns: number): string {
  const whole = Math.floor(ns / SECOND);
  const rest = ns % SECOND;
  return rest === 0 ? String(whole) : `${whole}.${String(rest).padStart(9, "0").replace(/0+$/, "")}`;
}

/** model.Duration.String: `1h30m`, `1w`, `0s`; whole milliseconds only. */
export function formatPrometheusDuration(ns: number): string {
  let ms = Math.trunc(ns / MS);
  if (ms === 0) return "0s";
  let text = "";
  for (const [unit, unitNs] of PROMETHEUS_FORMAT) {
    const unitMs = unitNs / MS;
    const exact = unit === "y" || unit === "w" || unit === "d";
    if (exact && ms % unitMs !== 0) continue;
    const count = Math.floor(ms / unitMs);
    if (count > 0) text += `${count}${unit}`;
    ms -= count * unitMs;
  }
  return text;
}
const PROMETHEUS_FORMAT: readonly (readonly [string, number])[] = [...PROMETHEUS_UNITS].map(([unit, { ns }]) => [
  unit,
  ns,
]);

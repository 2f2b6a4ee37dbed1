const UNITS: readonly (readonly [unit: string, ms: number, exact: boolean])[] = [
  // Years and weeks are printed only when nothing is left over, as people think of longer times in days.
  ["y", 365 * 24 * 3_600_000, true],
  ["w", 7 * 24 * 3_600_000, true],
  ["d", 24 * 3_600_000, false],
  ["h", 3_600_000, false],
  ["m", 60_000, false],
  ["s", 1_000, false],
  ["ms", 1, false],
];
const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const MAX_MS = 2 ** 63 / 1e6;

/**
 * Milliseconds of a duration like `1h30m` (Prometheus' model.ParseDuration; `0` needs no unit). Undefined when it is
 * not one; Infinity when it is longer than 292 years.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const match = text === "" ? null : PATTERN.exec(text);
  if (!match) return undefined;
  let total = 0;
  for (const [index, [, ms]] of UNITS.entries()) total += Number(match[index + 1] ?? 0) * ms;
  return total >= MAX_MS ? Number.POSITIVE_INFINITY : total;
}

/** Prometheus' spelling of a duration: `90000` is `1m30s`, `0` is `0s`. */
export function formatDuration(durationMs: number): string {
  let rest = Math.trunc(durationMs);
  if (rest === 0) return "0s";
  let out = "";
  for (const [unit, ms, exact] of UNITS) {
    if (exact && rest % ms !== 0) continue;
    const count = Math.floor(rest / ms);
    if (count > 0) out += `${count}${unit}`;
    rest -= count * ms;
  }
  return out;
}

/** Seconds of a duration in milliseconds, rounded as Go's Duration.Seconds does: whole seconds and the rest apart. */
export function secondsOf(durationMs: number): number {
  const whole = Math.trunc(durationMs / 1000);
  return whole + (durationMs - whole * 1000) / 1000;
}

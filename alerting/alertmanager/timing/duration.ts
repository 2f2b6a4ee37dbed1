import { InvalidInputError } from "@sightline/model/errors.ts";
import { goQuote } from "../matchers/go-quote.ts";

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS_MS = [31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1];
/** That of Go's time.Duration, in whose nanoseconds it is kept there. */
const MAX_MS = 9_223_372_036_854;

/** `1h30m` as Prometheus' configuration has it, units from great to small. Throws `InvalidInputError` in its words. */
export function parseGoDurationMs(text: string): number {
  if (text === "0") return 0;
  if (text === "") throw new InvalidInputError("empty duration string");
  const match = DURATION.exec(text);
  if (!match) throw new InvalidInputError(`not a valid duration string: ${goQuote(text)}`);
  const ms = UNITS_MS.reduce((sum, unitMs, i) => sum + Number(match[i + 1] ?? 0) * unitMs, 0);
  if (ms > MAX_MS) throw new InvalidInputError("duration out of range");
  return ms;
}

/** The shortest form that is parsed to the same. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return "0s";
  const units = [
    ["y", 31_536_000_000, true],
    ["w", 604_800_000, true],
    ["d", 86_400_000, false],
    ["h", 3_600_000, false],
    ["m", 60_000, false],
    ["s", 1_000, false],
    ["ms", 1, false],
  ] as const;
  let rest = ms;
  let text = "";
  for (const [unit, unitMs, onlyExact] of units) {
    if (onlyExact && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count === 0) continue;
    text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}

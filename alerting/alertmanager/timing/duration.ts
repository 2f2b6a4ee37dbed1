import { InvalidInputError } from "@sightline/model/errors.ts";
import { parsePrometheusDuration } from "@sightline/model/go-duration.ts";

/** `1h30m` as Prometheus' configuration has it, units from great to small. Throws `InvalidInputError` in its words. */
export function parseGoDurationMs(text: string): number {
  const parsed = parsePrometheusDuration(text);
  if ("ns" in parsed) return parsed.ns / 1e6;
  throw new InvalidInputError(parsed.error);
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

/** Days since 1970, as `series.first_day` and `last_day` have them. */
export const DAY_MS = 86_400_000;
/** Beyond any day: `first_day` and `-last_day` of a series without samples, so that no range of days includes it. */
export const NO_DAY = 2_000_000_000;
const MAX_DAY = NO_DAY - 1;

export function dayOf(timeMs: number): number {
  return Math.max(-MAX_DAY, Math.min(MAX_DAY, Math.floor(timeMs / DAY_MS)));
}

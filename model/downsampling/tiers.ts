import { InvalidInputError } from "../errors.ts";

/** Days that ended longer than `afterMs` ago have one sample, or what stands for some, per window of `resolutionMs`. */
export type Tier = { readonly resolutionMs: number; readonly afterMs: number };

const DAY_MS = 86_400_000;
/** The least that the first one is a multiple of. */
const FINEST_MS = 1_000;

/** As it came for a day, by the minute for a week, by five minutes from then on. */
export const STANDARD_TIERS: readonly Tier[] = [
  { resolutionMs: 60_000, afterMs: DAY_MS },
  { resolutionMs: 300_000, afterMs: 7 * DAY_MS },
];

/** Ascending by age. Throws {@link InvalidInputError} for resolutions that windows can't be added up to. */
export function orderedTiers(tiers: readonly Tier[]): readonly Tier[] {
  const sorted = tiers.toSorted((a, b) => a.afterMs - b.afterMs);
  for (const [i, { resolutionMs }] of sorted.entries()) {
    const finerMs = sorted[i - 1]?.resolutionMs ?? FINEST_MS;
    if (resolutionMs >= finerMs && resolutionMs % finerMs === 0 && DAY_MS % resolutionMs === 0) continue;
    throw new InvalidInputError(
      "each resolution must divide a day, and be a multiple of the one before it, the first of 1s",
    );
  }
  return sorted;
}

/** How coarse a day should be that ended so long ago; undefined: as it came. `tiers` ascend by age. */
export function resolutionAt(tiers: readonly Tier[], ageMs: number): number | undefined {
  return tiers.findLast(({ afterMs }) => ageMs >= afterMs)?.resolutionMs;
}

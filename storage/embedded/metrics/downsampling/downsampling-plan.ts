import { PARTITION_MS } from "../write-blocks.ts";

/** Days that ended longer than `afterMs` ago have one sample, or what stands for some, per window of `resolutionMs`. */
export type Tier = { readonly resolutionMs: number; readonly afterMs: number };

/** What a plan needs to know of a block. */
export type TieredBlock = {
  readonly partition: number;
  readonly downsampled?: { readonly resolutionMs: number } | undefined;
};

/** As it came for a day, by the minute for a week, by five minutes from then on. */
export const STANDARD_TIERS: readonly Tier[] = [
  { resolutionMs: 60_000, afterMs: 24 * 3_600_000 },
  { resolutionMs: 300_000, afterMs: 7 * 24 * 3_600_000 },
];

/**
 * The next blocks to downsample: all of one day that are as they came, or one that can be made coarser. Late samples of
 * a day that was downsampled stay as they came, as there are few.
 */
export function nextDownsampling<B extends TieredBlock>(
  blocks: readonly B[],
  tiers: readonly Tier[],
  nowMs: number,
): { readonly blocks: readonly B[]; readonly resolutionMs: number } | undefined {
  if (tiers.length === 0) return undefined;
  const done = new Set(blocks.filter(({ downsampled }) => downsampled).map(({ partition }) => partition));
  for (const block of blocks) {
    const ageMs = nowMs - (block.partition + 1) * PARTITION_MS;
    const resolutionMs = tiers.findLast(({ afterMs }) => ageMs >= afterMs)?.resolutionMs;
    if (resolutionMs === undefined) continue;
    if (block.downsampled) {
      if (block.downsampled.resolutionMs < resolutionMs) return { blocks: [block], resolutionMs };
    } else if (!done.has(block.partition)) {
      return { blocks: blocks.filter(({ partition }) => partition === block.partition), resolutionMs };
    }
  }
  return undefined;
}

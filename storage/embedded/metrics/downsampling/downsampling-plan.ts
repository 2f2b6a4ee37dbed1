import { resolutionAt, type Tier } from "@sightline/model/downsampling/tiers.ts";
import { PARTITION_MS } from "../write-blocks.ts";

/** What a plan needs to know of a block. */
export type TieredBlock = {
  readonly partition: number;
  readonly downsampled?: { readonly resolutionMs: number } | undefined;
};

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
    const resolutionMs = resolutionAt(tiers, ageMs);
    if (resolutionMs === undefined) continue;
    if (block.downsampled) {
      if (block.downsampled.resolutionMs < resolutionMs) return { blocks: [block], resolutionMs };
    } else if (!done.has(block.partition)) {
      return { blocks: blocks.filter(({ partition }) => partition === block.partition), resolutionMs };
    }
  }
  return undefined;
}

/** What a plan needs to know of a block. */
export type PlannedBlock = { readonly partition: number; readonly bytes: number; readonly maxTimeMs: number };

/** Blocks of a partition that is still written to are merged when there are so many of a size. */
const MIN_BLOCKS = 4;
/** One block is worth rewriting when what is merged into it is at least this share of it. */
const MIN_SHARE = 1 / 4;

/**
 * The next blocks to merge, or none. `blocks` are in the order they were written; the result is a run of consecutive
 * blocks of one partition, since the first write of a sample wins and only neighbours can be merged without changing
 * which that is. Every byte is rewritten about log(n) times: a big block is rewritten only for enough new data.
 */
export function nextMerge<B extends PlannedBlock>(blocks: readonly B[], closedBefore: number): readonly B[] {
  const partitions = new Map<number, B[]>();
  for (const block of blocks) {
    const others = partitions.get(block.partition);
    if (others) others.push(block);
    else partitions.set(block.partition, [block]);
  }
  for (const [partition, ofPartition] of partitions) {
    const run = worthMerging(ofPartition, partition < closedBefore ? 2 : MIN_BLOCKS);
    if (run.length > 0) return run;
  }
  return [];
}

/** The longest run up to the newest block whose first is not too big for what follows it. */
function worthMerging<B extends PlannedBlock>(blocks: readonly B[], minBlocks: number): readonly B[] {
  let following = blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  for (let from = 0; blocks.length - from >= minBlocks; from++) {
    const { bytes } = blocks[from] as B;
    following -= bytes;
    if (following >= bytes * MIN_SHARE || blocks.length - from > 4 * MIN_BLOCKS) return blocks.slice(from);
  }
  return [];
}

import { CorruptionError } from "@sightline/model/errors.ts";
import type { Awaitable } from "./awaitable.ts";
import type { BlockSource } from "./block-source.ts";
import type { ListedBlock } from "./listed-block.ts";

/**
 * Reads blocks into their cache, the newest samples first, as long as there is `room`. To be called between `acquire` and
 * `release`. What is damaged is left to whoever asks for it.
 */
export async function preloadBlocks(
  blocks: readonly ListedBlock[],
  room: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const sources: BlockSource[] = [];
  for (const { block } of blocks.toSorted((a, b) => b.maxTimeMs - a.maxTimeMs)) {
    if (!room()) break;
    const source = await undamaged(block.source());
    if (source) sources.push(source);
    signal.throwIfAborted();
  }
  const windows = sources.flatMap((source) => source.windows.map((window) => ({ source, window })));
  windows.sort((a, b) => b.window.maxTimeMs - a.window.maxTimeMs);
  for (const { source, window } of windows) {
    if (!room()) return;
    await undamaged(source.load(window));
    signal.throwIfAborted();
  }
}

async function undamaged<T>(reading: Awaitable<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}

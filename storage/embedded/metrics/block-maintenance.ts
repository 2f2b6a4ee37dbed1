import { CorruptionError } from "@sightline/model/errors.ts";
import { isQueried } from "@sightline/model/loop-turns.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Awaitable } from "./awaitable.ts";
import type { BlockList } from "./block-list.ts";
import { downsampleBlocks } from "./downsampling/downsample-blocks.ts";
import { nextDownsampling } from "./downsampling/downsampling-plan.ts";
import type { ListedBlock } from "./listed-block.ts";
import { nextMerge } from "./merge-plan.ts";
import type { Retention } from "./retention/retention.ts";
import type { SeriesSource } from "./series-source.ts";
import type { StoreTelemetry } from "./store-telemetry.ts";
import { PARTITION_MS, type WrittenBlock, writeBlocks } from "./write-blocks.ts";

/** Who deletes much deletes often: files are not written anew for each of the deletions. */
const PURGE_AFTER_MS = 300_000;

export type BlockMaintenanceOptions = {
  readonly files: BlockList;
  readonly telemetry: StoreTelemetry;
  readonly nowMs: () => number;
  readonly retention: Retention;
  /** Partitions are written to for so long after their end. */
  readonly openForMs: number;
  /** Opens a block without what is deleted of it or too old. */
  readonly open: (entry: ListedBlock) => Awaitable<SeriesSource>;
  readonly putAside: (entry: ListedBlock, error: unknown) => Promise<void>;
  readonly onChange: (range: TimeRange) => void;
};

/** Work on the blocks of one tenant that no answer depends on, one piece at a time. */
export class BlockMaintenance {
  readonly #options: BlockMaintenanceOptions;
  #working: Promise<void> = Promise.resolve();
  #deletedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BlockMaintenanceOptions) {
    this.#options = options;
  }

  /** Deletes what is older than the retention, frees what was deleted, and merges what is small, until all is done. */
  run(signal: AbortSignal): Promise<void> {
    return this.#next(() => this.#run(signal));
  }

  /** Writes blocks anew without what was deleted of them before the call. */
  purge(): Promise<void> {
    return this.#next(async () => {
      for (let entry = this.#dirty(); entry; entry = this.#dirty()) await this.#rewrite([entry]);
    });
  }

  /** Says that something was deleted. */
  deleted(): void {
    this.#deletedAtMs = this.#options.nowMs();
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#working.then(work);
    this.#working = done.catch(() => {});
    return done;
  }

  #dirty(): ListedBlock | undefined {
    return this.#options.files.blocks.find(({ deleted }) => deleted.length > 0);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { files, nowMs, openForMs } = this.#options;
    await this.#dropOld();
    while (!signal.aborted) {
      // A downsampled block is as it stays; what comes late for its day is kept beside it.
      const blocks = nextMerge(
        files.blocks.filter(({ downsampled }) => !downsampled),
        Math.floor((nowMs() - openForMs) / PARTITION_MS),
      );
      if (blocks.length === 0) break;
      await this.#rewrite(blocks);
    }
    while (!signal.aborted && nowMs() - this.#deletedAtMs >= PURGE_AFTER_MS) {
      const entry = this.#dirty();
      if (!entry) break;
      await this.#rewrite([entry]);
    }
    for (const entry of files.blocks) {
      if (signal.aborted) return;
      if (await this.#isDue(entry)) await this.#rewrite([entry]);
    }
    await this.#downsample(signal);
  }

  async #downsample(signal: AbortSignal): Promise<void> {
    const { files, nowMs, retention, onChange } = this.#options;
    while (!signal.aborted) {
      const next = nextDownsampling(files.blocks, retention.policy.tiers, nowMs());
      if (!next) return;
      if (!(await this.#rewrite(next.blocks, next.resolutionMs))) return;
      for (const { minTimeMs, maxTimeMs } of next.blocks) onChange({ startMs: minTimeMs, endMs: maxTimeMs });
    }
  }

  async #isDue(entry: ListedBlock): Promise<boolean> {
    const { retention, putAside } = this.#options;
    entry.block.acquire();
    try {
      return await retention.isDue(entry, () => entry.block.source());
    } catch (error) {
      await putAside(entry, error);
      return false;
    } finally {
      await entry.block.release();
    }
  }

  /** Deletes blocks that are too old, and the oldest ones when all together are too big. */
  async #dropOld(): Promise<void> {
    const { files, retention, telemetry, onChange } = this.#options;
    const { maxBytes } = retention.policy;
    let bytes = files.blocks.reduce((sum, block) => sum + block.bytes, 0);
    const old: ListedBlock[] = [];
    for (const block of files.blocks.toSorted((a, b) => a.maxTimeMs - b.maxTimeMs)) {
      const isTooMuch = maxBytes > 0 && bytes > maxBytes;
      if (block.maxTimeMs >= retention.oldestMs && !isTooMuch) break;
      old.push(block);
      bytes -= block.bytes;
    }
    if (old.length === 0) return;
    await files.remove(old);
    for (const { minTimeMs, maxTimeMs } of old) onChange({ startMs: minTimeMs, endMs: maxTimeMs });
    telemetry.removedBlocks.inc(old.length);
  }

  /**
   * Puts one block in the place of several, or of one, downsampled if they were or with a resolution. A damaged block is
   * put aside and nothing is written: the next plan will do without it. Returns whether something was written.
   */
  async #rewrite(
    blocks: readonly ListedBlock[],
    resolutionMs = blocks[0]?.downsampled?.resolutionMs,
  ): Promise<boolean> {
    const { files, telemetry, open, putAside } = this.#options;
    const stopTimer = telemetry.mergeSeconds.startTimer();
    for (const { block } of blocks) block.acquire();
    try {
      const sources: SeriesSource[] = [];
      for (const entry of blocks) sources.push(await open(entry));
      const nextPath = (partition: number) => files.nextBlockPath(partition);
      const written = resolutionMs
        ? await this.#writeDownsampled(blocks, sources, resolutionMs)
        : await writeBlocks(sources, nextPath);
      if (isQueried()) await files.preload(written);
      await files.replace(blocks, written);
      return true;
    } catch (error) {
      const damaged = blocks.find(
        ({ block }) => error instanceof CorruptionError && error.message.includes(block.path),
      );
      if (!damaged) throw error;
      await putAside(damaged, error);
      return false;
    } finally {
      stopTimer();
      for (const { block } of blocks) await block.release();
    }
  }

  async #writeDownsampled(
    [first, ...others]: readonly ListedBlock[],
    sources: readonly SeriesSource[],
    resolutionMs: number,
  ): Promise<WrittenBlock[]> {
    const { partition, block } = first as ListedBlock;
    const windows = others.length === 0 ? await block.windows() : undefined;
    const input = windows ? { source: sources[0] as SeriesSource, windows } : { sources };
    return downsampleBlocks(input, resolutionMs, partition, this.#options.files.nextBlockPath(partition));
  }
}

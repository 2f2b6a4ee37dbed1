import { IndexCache } from "./index-cache.ts";
import { readIndexFile } from "./index-file.ts";
import type { SegmentCodec } from "./segment-codec.ts";
import type { Segment, SegmentDirectory } from "./segment-directory.ts";
import type { SegmentFiles } from "./segment-writer.ts";
import type { StoreMetrics } from "./store-metrics.ts";

export type SegmentIndexesOptions<Index> = {
  readonly codec: Pick<SegmentCodec<never, Index>, "parseIndex">;
  readonly maxBytes: number;
  /** Throws `UnavailableError` while the store is not running. */
  readonly directory: () => SegmentDirectory;
  readonly metrics: StoreMetrics;
  /** A segment was put into quarantine. */
  readonly onQuarantined: () => void;
};

/** With a larger index a segment has so many streams or operations that to read it takes a noticeable time. */
const MAX_REMEMBERED_BYTES = 512 * 1024;
/** Parsed objects take a few times the room of their text. */
const BYTES_PER_TEXT_BYTE = 4;

/** The indexes of segments, of which the most recently used stay in memory. Finds out which segments are damaged. */
export class SegmentIndexes<Index> {
  readonly #options: SegmentIndexesOptions<Index>;
  readonly #cache: IndexCache<Index>;

  constructor(options: SegmentIndexesOptions<Index>) {
    this.#options = options;
    this.#cache = new IndexCache(options.maxBytes);
  }

  get bytes(): number {
    return this.#cache.bytes;
  }

  shrink(): void {
    this.#cache.shrink();
  }

  /** Drops what is known of a segment that is gone. */
  forget(segment: Segment): void {
    this.#cache.delete(segment.info.id);
  }

  /**
   * Gives `use` the index of a held segment whose rows have been verified (needed before reading them). Undefined when
   * the segment turns out to be damaged: it is put into quarantine, and the query goes on with the others. Throws
   * `UnavailableError` when it just can't be read.
   */
  async with<T>(segment: Segment, use: (index: Index) => T, { verify = true } = {}): Promise<T | undefined> {
    const directory = this.#options.directory();
    try {
      const [index] = await Promise.all([this.#indexOf(segment), verify ? directory.verify(segment) : undefined]);
      return use(index);
    } catch (error) {
      await directory.assertDamage(error, segment);
      const { metrics, onQuarantined } = this.#options;
      if (!segment.dropped) {
        metrics.quarantined.inc();
        metrics.quarantinedRows.inc(segment.info.rows);
      }
      await directory.quarantine(segment, error);
      onQuarantined();
      return undefined;
    }
  }

  /** Has the index of a segment that is about to count ready for the queries that ask for what is new. */
  async remember(segment: Segment, { indexBytes }: Pick<SegmentFiles, "indexBytes">): Promise<void> {
    if (indexBytes > MAX_REMEMBERED_BYTES) return;
    // Whoever needs it will find out why it can't be read.
    await this.#indexOf(segment).catch(() => {});
  }

  #indexOf(segment: Segment): Promise<Index> {
    return this.#cache.get(segment.info.id, async () => {
      const { indexPath, info } = segment;
      const parse = (values: readonly unknown[]) => this.#options.codec.parseIndex(values);
      const { value, textBytes } = await readIndexFile(indexPath, info.indexCrc, parse);
      return { value, bytes: BYTES_PER_TEXT_BYTE * textBytes };
    });
  }
}

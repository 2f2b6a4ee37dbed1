import { access, readFile, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, zstdCompress, zstdDecompress } from "node:zlib";
import type { Logger } from "@sightline/model/logger.ts";
import { writeFileAtomic } from "../files/write-file-atomic.ts";
import { BlockGrams, hasGrams, type RowSpan } from "./block-grams.ts";
import { IndexCache } from "./index-cache.ts";
import type { Segment } from "./segment-directory.ts";
import type { WriteThread } from "./write-thread.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const VERSION = 1;
/** Version and CRC-32 of what follows, 32 bits each. */
const HEAD_BYTES = 8;

export type BlockFiltersOptions = {
  /** The column of texts; undefined: there are no filters. */
  readonly column: string | undefined;
  /** 0: there are none. */
  readonly maxBytes: number;
  readonly logger: Logger;
};

/**
 * Filters of segments that tell which blocks of their rows may have a text: `<id>.blocks` beside the other files. They
 * are made of these files when nothing else is to be done, and made anew when they are missing or damaged: without one
 * all rows are read.
 */
export class BlockFilters {
  readonly #options: BlockFiltersOptions;
  readonly #loaded: IndexCache<BlockGrams | undefined>;
  /** Those that have a file, as far as that was looked for. */
  readonly #known = new WeakSet<Segment>();
  readonly #failed = new WeakSet<Segment>();

  constructor(options: BlockFiltersOptions) {
    this.#options = options;
    this.#loaded = new IndexCache(options.maxBytes);
  }

  get bytes(): number {
    return this.#loaded.bytes;
  }

  shrink(): void {
    this.#loaded.shrink();
  }

  /** Drops what is known of a segment that is gone. */
  forget(segment: Segment): void {
    this.#loaded.delete(segment.info.id);
  }

  /** The rows of a held segment among which all are that have each of `parts`; undefined: any may. */
  async spansOf(segment: Segment, parts: readonly string[]): Promise<readonly RowSpan[] | undefined> {
    const { column, maxBytes } = this.#options;
    const long = parts.filter(hasGrams);
    if (column === undefined || maxBytes === 0 || long.length === 0) return undefined;
    const grams = await this.#loaded.get(segment.info.id, async () => {
      const value = await this.#read(segment);
      return { value, bytes: value?.bits.length ?? 0 };
    });
    return grams?.spansOf(long);
  }

  /** Has no file yet, and making one has not failed since the start. */
  async isMissing(segment: Segment): Promise<boolean> {
    const { column, maxBytes } = this.#options;
    if (column === undefined || maxBytes === 0 || this.#known.has(segment) || this.#failed.has(segment)) return false;
    try {
      await access(segment.blocksPath);
      this.#known.add(segment);
      return false;
    } catch {
      return true;
    }
  }

  /** The segment must be held, and its rows be verified. A failure is logged: queries do without. */
  async make(segment: Segment, writer: WriteThread): Promise<void> {
    const { column, logger } = this.#options;
    if (column === undefined) return;
    try {
      const { dataPath, info } = segment;
      const { grams } = await writer.request({ kind: "block-grams", dataPath, rows: info.rows, column });
      if (!grams) return;
      const body = await compress(grams);
      const head = Buffer.alloc(HEAD_BYTES);
      head.writeUInt32LE(VERSION, 0);
      head.writeUInt32LE(crc32(body), 4);
      await writeFileAtomic(segment.blocksPath, Buffer.concat([head, body]));
      this.#known.add(segment);
      this.forget(segment);
    } catch (error) {
      this.#failed.add(segment);
      logger.warn("can't make a filter of a segment; queries read all of it", { file: segment.dataPath, error });
    }
  }

  async #read(segment: Segment): Promise<BlockGrams | undefined> {
    const bytes = await readFile(segment.blocksPath).catch(() => undefined);
    if (!bytes) return undefined;
    const wanted = BlockGrams.bytesForRows(segment.info.rows);
    const body = bytes.subarray(HEAD_BYTES);
    if (bytes.length >= HEAD_BYTES && bytes.readUInt32LE(0) === VERSION && bytes.readUInt32LE(4) === crc32(body)) {
      const bits = await decompress(body, { maxOutputLength: wanted }).catch(() => undefined);
      if (bits?.length === wanted) return new BlockGrams(bits);
    }
    this.#options.logger.warn("a filter of a segment is damaged; it is made anew", { file: segment.blocksPath });
    await rm(segment.blocksPath, { force: true }).catch(() => {});
    this.#known.delete(segment);
    return undefined;
  }
}

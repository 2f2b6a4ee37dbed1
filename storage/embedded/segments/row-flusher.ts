import type { HotBuffer } from "./hot-buffer.ts";
import { partsByDay } from "./row-parts.ts";
import type { SegmentCodec } from "./segment-codec.ts";
import type { Segment, SegmentDirectory } from "./segment-directory.ts";
import { type SegmentFiles, writeSegment } from "./segment-writer.ts";
import type { StoreMetrics } from "./store-metrics.ts";
import type { WriteThread } from "./write-thread.ts";

export type RowFlusherOptions<Batch> = {
  readonly hot: HotBuffer<Batch>;
  readonly writer: WriteThread;
  readonly directory: SegmentDirectory;
  readonly codec: SegmentCodec<Batch, unknown>;
  readonly metrics: StoreMetrics;
  /** Estimated, of rows that are written at once. */
  readonly maxBytes: number;
  /** Before the segment counts. */
  readonly onWritten: (segment: Segment, files: SegmentFiles) => Promise<void>;
  /** Rows have become segments. */
  readonly onFlushed: () => void;
  /** Some were written, or that failed. */
  readonly onDone: () => void;
};

const MIN_PORTION_BYTES = 1024 * 1024;

/** Writes rows in memory as segments, the oldest first. Only one flush may run at a time. */
export class RowFlusher<Batch extends { readonly length: number }> {
  readonly #options: RowFlusherOptions<Batch>;
  /** Estimated bytes that are written to disk at once. */
  #portionBytes: number;

  constructor(options: RowFlusherOptions<Batch>) {
    this.#options = options;
    this.#portionBytes = options.maxBytes;
  }

  /** All rows up to that position of the log. When it fails those that are not written yet stay in memory. */
  async flush(untilPosition: number): Promise<void> {
    const { hot, maxBytes } = this.#options;
    for (let first = hot.first; first && first.position <= untilPosition; first = hot.first) {
      try {
        await this.#flushPortion();
        this.#portionBytes = Math.min(2 * this.#portionBytes, maxBytes);
      } catch (error) {
        // It may have been too much for DuckDB at once.
        this.#portionBytes = Math.max(this.#portionBytes / 2, MIN_PORTION_BYTES);
        throw error;
      }
    }
  }

  /** The oldest rows, as many as are written at once. */
  async #flushPortion(): Promise<void> {
    const { hot, directory, codec, metrics, onWritten, onFlushed, onDone } = this.#options;
    const { mark, lastPosition: flushedPosition } = hot.mark(this.#portionBytes);
    const stopTimer = metrics.flushSeconds.startTimer();
    const drafts: Segment[] = [];
    try {
      const add: Segment[] = [];
      for (const [tenant, count] of mark) {
        for (const parts of await partsByDay(hot.batchesOf(tenant).slice(0, count), codec)) {
          const { draft } = directory.create({ tenant, ...parts.extent });
          drafts.push(draft);
          const plan = await codec.plan(parts.parts);
          const counts = parts.parts.map(({ rows }) => rows.length);
          const files = await writeSegment(this.#options.writer, draft, plan, counts);
          const written = directory.finish(draft, files);
          await onWritten(written, files);
          add.push(written);
        }
      }
      // Should this fail, the manifest may be on disk all the same: what it names must stay.
      drafts.length = 0;
      await directory.change({ add, flushedPosition, applied: () => hot.drop(mark) });
      onFlushed();
      metrics.flushes.inc({ result: "ok" });
    } catch (error) {
      metrics.flushes.inc({ result: "failed" });
      await Promise.allSettled(drafts.map((draft) => directory.discard(draft)));
      throw error;
    } finally {
      stopTimer();
      onDone();
    }
  }
}

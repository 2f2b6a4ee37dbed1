import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { RowReader } from "../segments/row-reader.ts";
import type { Segment } from "../segments/segment-directory.ts";
import type { SegmentRows } from "../segments/segment-rows.ts";
import type { LogSegmentIndex } from "./log-segment-index.ts";
import { readStreamTimes } from "./read-stream-times.ts";
import type { StreamTimes } from "./stream-times.ts";

type Entry = { readonly times: StreamTimes; usedAtMs: number };

/** What was used more lately than this is not let go for something else: else one would drive out the other by turns. */
const MIN_KEPT_MS = 60_000;
const MAX_WAITING = 1_000;

/**
 * Keeps the {@link StreamTimes} of segments: of those whose rows come to be kept in memory, and of those that somebody would
 * have needed them for. They are read in the background, one after the other; until then queries do without.
 */
export class SegmentTimes {
  readonly #reader: RowReader<LogBatch, LogSegmentIndex>;
  readonly #maxBytes: number;
  readonly #entries = new Map<Segment, Entry>();
  readonly #unusable = new WeakSet<Segment>();
  /** With whether sizes are wanted, too. */
  readonly #waiting = new Map<Segment, boolean>();
  readonly #stopped = new AbortController();
  #bytes = 0;
  #work: Promise<void> | undefined;

  constructor(reader: RowReader<LogBatch, LogSegmentIndex>, maxBytes: number) {
    this.#reader = reader;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Lets go of the half that was used longest ago. */
  shrink(): void {
    this.#makeRoom(this.#bytes / 2, 0);
  }

  /**
   * Of a held segment. Undefined when they are not known, which they may be later on. Those of deleted rows are among
   * them: then there are none.
   */
  of(segment: Segment, { withSizes = false } = {}): StreamTimes | undefined {
    if (segment.deleted.length > 0 || this.#unusable.has(segment)) return undefined;
    const entry = this.#entries.get(segment);
    if (!entry || (withSizes && !entry.times.hasSizes)) {
      this.#want(segment, withSizes);
      return undefined;
    }
    entry.usedAtMs = performance.now();
    return entry.times;
  }

  /** Reads them now, where rows are quick to read. Never rejects. */
  async read(segment: Segment, rows: Pick<SegmentRows, "dataPath" | "table">): Promise<void> {
    if (this.#stopped.signal.aborted || this.#entries.has(segment) || !this.#hasRoom(segment, true)) return;
    await this.#read(segment, rows, true);
  }

  /** Before the store is stopped. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#work;
  }

  #want(segment: Segment, withSizes: boolean): void {
    if (this.#stopped.signal.aborted || !this.#hasRoom(segment, withSizes)) return;
    if (!this.#waiting.has(segment) && this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(segment, withSizes || this.#waiting.get(segment) === true);
    this.#work ??= this.#readWaiting().finally(() => {
      this.#work = undefined;
    });
  }

  #hasRoom({ info }: Segment, withSizes: boolean): boolean {
    const bytes = bytesOf(info.rows, withSizes);
    return bytes <= this.#maxBytes && this.#bytes + bytes <= this.#maxBytes + this.#idleBytes();
  }

  #idleBytes(): number {
    const nowMs = performance.now();
    let bytes = 0;
    for (const [segment, { times, usedAtMs }] of this.#entries) {
      if (segment.dropped || nowMs - usedAtMs >= MIN_KEPT_MS) bytes += times.bytes;
    }
    return bytes;
  }

  async #readWaiting(): Promise<void> {
    for (;;) {
      const [next] = this.#waiting;
      if (!next || this.#stopped.signal.aborted) return;
      const [segment, withSizes] = next;
      this.#waiting.delete(segment);
      const snapshot = this.#reader.snapshot(segment.info.tenant);
      try {
        if (!snapshot.segments.includes(segment)) continue;
        const { rows, release } = this.#reader.lease(segment);
        await this.#read(segment, rows, withSizes).finally(release);
      } finally {
        snapshot.release();
      }
    }
  }

  async #read(segment: Segment, rows: Pick<SegmentRows, "dataPath" | "table">, withSizes: boolean): Promise<void> {
    const { signal } = this.#stopped;
    try {
      const index = await this.#reader.withIndex(segment, (known) => known);
      if (!index) return;
      const times = await readStreamTimes(segment, rows, index, { withSizes, database: this.#reader.database, signal });
      if (times) this.#keep(segment, times);
      else this.#unusable.add(segment);
    } catch {
      // Queries do without, and are told when rows can't be read.
      if (!signal.aborted) this.#unusable.add(segment);
    }
  }

  #keep(segment: Segment, times: StreamTimes): void {
    this.#forget(segment);
    this.#makeRoom(this.#maxBytes - times.bytes, MIN_KEPT_MS);
    if (this.#bytes + times.bytes > this.#maxBytes) return;
    this.#entries.set(segment, { times, usedAtMs: performance.now() });
    this.#bytes += times.bytes;
  }

  /** Those of segments that are gone, and then what was used longest ago. */
  #makeRoom(bytes: number, minAgeMs: number): void {
    const nowMs = performance.now();
    for (const segment of this.#entries.keys()) if (segment.dropped) this.#forget(segment);
    const oldest = [...this.#entries].sort(([, a], [, b]) => a.usedAtMs - b.usedAtMs);
    for (const [segment, { usedAtMs }] of oldest) {
      if (this.#bytes <= bytes || nowMs - usedAtMs < minAgeMs) return;
      this.#forget(segment);
    }
  }

  #forget(segment: Segment): void {
    this.#bytes -= this.#entries.get(segment)?.times.bytes ?? 0;
    this.#entries.delete(segment);
  }
}

function bytesOf(rows: number, withSizes: boolean): number {
  return rows * Float64Array.BYTES_PER_ELEMENT * (withSizes ? 2 : 1);
}

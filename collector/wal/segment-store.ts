import { open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "@sightline/model/logger.ts";
import type { WalConfig } from "../config.ts";
import { newMarker, RECORD_HEADER_BYTES, scanRecords, type WalEntry } from "./record.ts";
import { formatSegmentName, parseSegmentName, type SegmentName } from "./segment-name.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { SpareSegment } from "./spare-segment.ts";
import { syncDirectory, type WalFiles } from "./wal-files.ts";

/** The next segment is made ready when the current one is this full: an idle server does not write one for nothing. */
const PREPARE_AT = 1 / 8;

/** A segment that is not written to any more. `bytes`: where reading ends. `full`: long enough to be used again. */
type Sealed = { readonly name: SegmentName; readonly path: string; readonly bytes: number; readonly full: boolean };

/** `torn`: at the very end of the log, as a crash leaves it. `corrupt`: anywhere else. */
export type Damage = "torn" | "corrupt";

type SegmentStoreOptions = {
  readonly dir: string;
  readonly config: WalConfig;
  readonly logger: Logger;
  readonly files: WalFiles;
  readonly onDamage: (kind: Damage) => void;
};

/** The files of the log: sealed segments in ascending order, at most one that is written to, at most one spare. */
export class SegmentStore {
  readonly #dir: string;
  readonly #config: WalConfig;
  readonly #logger: Logger;
  readonly #files: WalFiles;
  readonly #onDamage: (kind: Damage) => void;
  readonly #spare: SpareSegment;
  #sealed: Sealed[] = [];
  #writer: SegmentWriter | undefined;

  constructor(options: SegmentStoreOptions) {
    this.#dir = options.dir;
    this.#config = options.config;
    this.#logger = options.logger;
    this.#files = options.files;
    this.#onDamage = options.onDamage;
    this.#spare = new SpareSegment({ ...options, bytes: options.config.segment_bytes });
  }

  get count(): number {
    return this.#sealed.length + (this.#writer ? 1 : 0);
  }

  get bytes(): number {
    return this.#sealed.reduce((sum, { bytes }) => sum + bytes, this.#writer?.end ?? 0);
  }

  /**
   * Finds the segments, removes those wholly below `replayFrom` and cuts the torn end off the last one. Gives a
   * position that is above any that was ever used in the segments found.
   */
  async open(replayFrom: number): Promise<number> {
    await this.#spare.open();
    const names: SegmentName[] = [];
    for (const file of await readdir(this.#dir)) {
      const name = parseSegmentName(file);
      if (name) names.push(name);
    }
    names.sort((a, b) => a.first - b.first);
    let lowestUnused = 1;
    for (const [i, name] of names.entries()) {
      const path = join(this.#dir, formatSegmentName(name));
      const { size } = await stat(path);
      if (i < names.length - 1) {
        this.#sealed.push({ name, path, bytes: size, full: size === this.#config.segment_bytes });
        continue;
      }
      // Whatever was lost of the last segment, more positions than this it can't have held.
      lowestUnused = name.first + Math.ceil(Math.max(size, this.#config.segment_bytes) / RECORD_HEADER_BYTES);
      await this.#openLast(name, path, size);
    }
    await this.removeBefore(replayFrom);
    return lowestUnused;
  }

  /** A new run always begins a new segment, so that one is written from its beginning by one process only. */
  async #openLast(name: SegmentName, path: string, size: number): Promise<void> {
    let end = 0;
    for (const scanned of scanRecords(await readRange(path, size), name.marker, name.first - 1)) {
      if (scanned.kind === "record") end = scanned.end;
      else if (scanned.kind === "end" && scanned.torn) {
        this.#onDamage("torn");
        this.#logger.warn(
          "cut a half-written request off the write-ahead log; unless the disk lost it, its sender was never answered",
          {
            file: path,
            offset: end,
          },
        );
      }
    }
    if (end === 0) await rm(path);
    else {
      await truncate(path, end);
      this.#sealed.push({ name, path, bytes: end, full: false });
    }
    await syncDirectory(this.#files, this.#dir);
  }

  /** Bytes that fit into the segment that a record of `bytes` will be written to. */
  room(bytes: number): number {
    const room = this.#writer ? this.#config.segment_bytes - this.#writer.end : 0;
    return room >= bytes ? room : this.#config.segment_bytes;
  }

  /** The segment to write a record of `bytes` at `position` to: the current one if it has room, else a new one. */
  async writerFor(bytes: number, position: number): Promise<SegmentWriter> {
    const current = this.#writer;
    if (current && (current.end === 0 || current.end + bytes <= this.#config.segment_bytes)) {
      if (this.#config.preallocate && current.end > PREPARE_AT * this.#config.segment_bytes) this.#spare.prepare();
      return current;
    }
    if (current) await this.#seal(current);
    const next: SegmentName = { first: position, marker: newMarker() };
    const recycled = await this.#spare.take(join(this.#dir, formatSegmentName(next)));
    this.#writer = await SegmentWriter.open(this.#files, this.#dir, next, recycled ? this.#config.segment_bytes : 0);
    await syncDirectory(this.#files, this.#dir);
    return this.#writer;
  }

  async #seal(writer: SegmentWriter): Promise<void> {
    this.#writer = undefined;
    const { name, path, end, preallocatedBytes } = writer;
    this.#sealed.push({ name, path, bytes: end, full: preallocatedBytes === this.#config.segment_bytes });
    await writer.close();
  }

  /** After a failed append: the next one gets a new segment. Never throws. */
  async abandonWriter(): Promise<void> {
    const writer = this.#writer;
    if (!writer) return;
    this.#writer = undefined;
    const { name, path, end } = writer;
    try {
      await writer.abandon();
      if (end === 0) await rm(path, { force: true });
    } catch (error) {
      this.#logger.error(
        "could not cut requests that were not acknowledged off the write-ahead log: they may come twice after a restart",
        { file: path, offset: end, error },
      );
    }
    if (end > 0) this.#sealed.push({ name, path, bytes: end, full: false });
  }

  /** Entries from `fromPosition` to `lastPosition`, both included. */
  async *read(fromPosition: number, lastPosition: number): AsyncGenerator<WalEntry> {
    const segments: readonly Sealed[] = this.#writer
      ? [...this.#sealed, { name: this.#writer.name, path: this.#writer.path, bytes: this.#writer.end, full: false }]
      : [...this.#sealed];
    for (const [i, segment] of segments.entries()) {
      const next = segments[i + 1];
      if (next && next.name.first <= fromPosition) continue;
      if (segment.name.first > lastPosition) return;
      for (const entry of await this.#readSegment(segment)) {
        if (entry.position > lastPosition) return;
        if (entry.position >= fromPosition) yield entry;
      }
    }
  }

  async #readSegment({ name, path, bytes }: Sealed): Promise<readonly WalEntry[]> {
    const entries: WalEntry[] = [];
    for (const scanned of scanRecords(await readRange(path, bytes), name.marker, name.first - 1)) {
      if (scanned.kind === "record") entries.push(scanned.entry);
      else if (scanned.kind === "corrupt" || scanned.torn) {
        this.#onDamage("corrupt");
        const end = scanned.kind === "corrupt" ? scanned.end : bytes;
        this.#logger.error("skipped damaged bytes of the write-ahead log: requests in them are lost", {
          file: path,
          offset: scanned.start,
          bytes: end - scanned.start,
        });
      }
    }
    return entries;
  }

  /** Removes sealed segments that hold only positions below `position`. */
  async removeBefore(position: number): Promise<void> {
    while (this.#sealed.length > 0) {
      const [oldest, next] = this.#sealed as [Sealed, Sealed?];
      const nextFirst = next?.name.first ?? this.#writer?.name.first;
      // Without a later segment nobody knows where this one's positions end.
      if (nextFirst === undefined || nextFirst > position) return;
      this.#sealed.shift();
      if (oldest.full && this.#config.preallocate && (await this.#spare.recycle(oldest.path))) continue;
      await rm(oldest.path, { force: true });
    }
  }

  async close(): Promise<void> {
    if (this.#writer) await this.#seal(this.#writer);
    await this.#spare.close();
  }
}

async function readRange(path: string, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  const file = await open(path, "r");
  try {
    let at = 0;
    while (at < bytes) {
      const { bytesRead } = await file.read(buffer, at, bytes - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return buffer.subarray(0, at);
  } finally {
    await file.close();
  }
}

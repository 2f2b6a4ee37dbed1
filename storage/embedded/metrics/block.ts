import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { needsPoints } from "@sightline/model/downsampling/rate-points.ts";
import { useOfWindows } from "@sightline/model/downsampling/window-use.ts";
import { CorruptionError } from "@sightline/model/errors.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import { type Awaitable, andThen } from "./awaitable.ts";
import { TRAILER_BYTES, unpackTrailer } from "./block-file.ts";
import { BlockIndex, type PagePlace } from "./block-index.ts";
import { BlockSource } from "./block-source.ts";
import type { ByteCache } from "./byte-cache.ts";
import type { DataPage } from "./data-page.ts";
import type { Deletion } from "./deletion.ts";
import { DeletionMask } from "./deletion-mask.ts";
import { RateSource } from "./downsampling/rate-source.ts";
import { WindowSource } from "./downsampling/window-source.ts";
import { WindowsFile } from "./downsampling/windows-file.ts";
import type { RuleNumbers } from "./retention/retention-mask.ts";
import type { SeriesLink } from "./series-link.ts";
import { MaskedSource } from "./series-mask.ts";
import type { SeriesSource } from "./series-source.ts";
import type { TimePage } from "./time-page.ts";
import { TimeSlice } from "./time-slice.ts";

export type CachedPart = BlockSource | DataPage | TimePage | SeriesLink | DeletionMask | RuleNumbers;
export type BlockCache = ByteCache<CachedPart>;

/** A read is cheaper than two when the pages between are few. */
const MAX_GAP_BYTES = 64 * 1024;
const MAX_READ_BYTES = 1024 * 1024;

let nextNumber = 1;

/**
 * An immutable block file. Parts are read when they are needed, checked against their CRC, and kept in a cache that all
 * blocks share. Between `acquire` and `release` the file stays readable even when it is removed meanwhile.
 */
export class Block {
  readonly path: string;
  readonly #cache: BlockCache;
  readonly #windows: Block | undefined;
  /** Names this block, and its source, in caches. */
  readonly key = `block ${nextNumber++}`;
  /** The keys of its pages in the cache, by offset: made once, as queries look them up by the hundred. */
  readonly #pageKeys = new Map<number, string>();
  #file: Promise<FileHandle> | undefined;
  #users = 0;
  #fate: "kept" | "removed" | "corrupt" = "kept";

  /** `windows` is the file of a downsampled block that has its windows; it is treated as this one is. */
  constructor(path: string, cache: BlockCache, windows?: Block) {
    this.path = path;
    this.#cache = cache;
    this.#windows = windows;
  }

  acquire(): void {
    this.#users++;
    this.#windows?.acquire();
  }

  release(): Awaitable<void> {
    return andThen(this.#windows?.release(), () => {
      if (--this.#users > 0 || (!this.#file && this.#fate === "kept")) return;
      return this.#close();
    });
  }

  /** Deletes the file as soon as nobody reads it. */
  async remove(): Promise<void> {
    await this.#windows?.remove();
    this.#fate = "removed";
    if (this.#users === 0) await this.#meetFate();
  }

  /** Puts the file aside under another name, for a human to look at. */
  async quarantine(): Promise<void> {
    await this.#windows?.quarantine();
    this.#fate = "corrupt";
    if (this.#users === 0) await this.#meetFate();
  }

  /** Its series. Call it between `acquire` and `release`. Throws {@link CorruptionError} naming the file. */
  source(): Awaitable<BlockSource> {
    return (this.#cache.get(this.key) as BlockSource | undefined) ?? this.#readSource();
  }

  /** Its windows, when it has some. Call it as {@link Block.source}. */
  async windows(): Promise<WindowsFile | undefined> {
    return this.#windows && new WindowsFile(await this.#windows.source());
  }

  /**
   * The series as `hints` have a use for them, without what is deleted of them. A block's deletions only ever become more.
   */
  sourceWithout(
    deletions: readonly Deletion[],
    { hints, resolutionMs = 0 }: { hints?: SelectHints | undefined; resolutionMs?: number | undefined } = {},
  ): Awaitable<SeriesSource> {
    if (deletions.length === 0 && !(hints && this.#windows)) return this.source();
    return this.#changedSource(deletions, hints, resolutionMs);
  }

  async #changedSource(
    deletions: readonly Deletion[],
    hints: SelectHints | undefined,
    resolutionMs: number,
  ): Promise<SeriesSource> {
    const samples = await this.source();
    const windows = hints && (await this.windows());
    const source = windows ? sourceFor(hints, samples, windows, resolutionMs) : samples;
    return deletions.length === 0 ? source : new MaskedSource(source, await this.#mask(samples, deletions));
  }

  async #mask(source: BlockSource, deletions: readonly Deletion[]): Promise<DeletionMask> {
    let mask: DeletionMask | undefined;
    for (let count = deletions.length; count > 0 && !mask; count--) mask = this.#maskOf(count);
    if (mask?.deletions !== deletions.length) {
      mask = await DeletionMask.of(source, deletions, new TimeSlice(), mask);
      this.#cache.set(this.#maskKey(deletions.length), mask);
    }
    return mask;
  }

  #maskKey(deletions: number): string {
    return `${this.key} without ${deletions}`;
  }

  #maskOf(deletions: number): DeletionMask | undefined {
    return this.#cache.get(this.#maskKey(deletions)) as DeletionMask | undefined;
  }

  async #readSource(): Promise<BlockSource> {
    const source = new BlockSource(this.key, await this.#readIndex(), this);
    this.#cache.set(this.key, source);
    return source;
  }

  async #readIndex(): Promise<BlockIndex> {
    const file = await this.#open();
    const { size } = await file.stat();
    if (size < TRAILER_BYTES) throw this.#corrupt(new CorruptionError("it is too short"));
    const end = await this.#readBytes(size - TRAILER_BYTES, TRAILER_BYTES);
    return this.#guard(async () => {
      const place = unpackTrailer(end, size);
      return BlockIndex.unpack(this.#checked(await this.#readBytes(place.offset, place.length), place));
    });
  }

  pages<P extends DataPage | TimePage>(
    places: readonly PagePlace[],
    parse: (bytes: Uint8Array) => P,
    newSlice: () => TimeSlice,
  ): Awaitable<readonly P[]> {
    const pages = places.map((place) => this.#cache.get(this.#pageKey(place)) as P | undefined);
    return pages.includes(undefined) ? this.#readMissing(places, pages, parse, newSlice()) : (pages as P[]);
  }

  async #readMissing<P extends DataPage | TimePage>(
    places: readonly PagePlace[],
    pages: (P | undefined)[],
    parse: (bytes: Uint8Array) => P,
    slice: TimeSlice,
  ): Promise<readonly P[]> {
    const missing = places.map((_, i) => i).filter((i) => pages[i] === undefined);
    missing.sort((a, b) => (places[a] as PagePlace).offset - (places[b] as PagePlace).offset);
    for (let from = 0; from < missing.length; ) {
      const first = places[missing[from] as number] as PagePlace;
      let to = from + 1;
      let end = first.offset + first.length;
      for (; to < missing.length; to++) {
        const next = places[missing[to] as number] as PagePlace;
        if (next.offset - end > MAX_GAP_BYTES || next.offset + next.length - first.offset > MAX_READ_BYTES) break;
        end = next.offset + next.length;
      }
      const bytes = await this.#readBytes(first.offset, end - first.offset);
      for (const i of missing.slice(from, to)) {
        const place = places[i] as PagePlace;
        const at = place.offset - first.offset;
        const page = await this.#guard(async () => parse(this.#checked(bytes.subarray(at, at + place.length), place)));
        this.#cache.set(this.#pageKey(place), page);
        pages[i] = page;
        if (slice.due) await slice.pause();
      }
      from = to;
    }
    return pages as P[];
  }

  #pageKey({ offset }: PagePlace): string {
    let key = this.#pageKeys.get(offset);
    if (key === undefined) {
      key = `${this.key} at ${offset}`;
      this.#pageKeys.set(offset, key);
    }
    return key;
  }

  #checked(bytes: Uint8Array, { crc }: PagePlace): Uint8Array {
    if (crc32(bytes) !== crc) throw new CorruptionError("a part does not match its checksum");
    return bytes;
  }

  async #readBytes(offset: number, length: number): Promise<Uint8Array> {
    const file = await this.#open();
    const bytes = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    if (bytesRead !== length) throw this.#corrupt(new CorruptionError("it is too short"));
    return bytes;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.then((handle) => handle.close()).catch(() => {});
    await this.#meetFate();
  }

  #open(): Promise<FileHandle> {
    this.#file ??= open(this.path, "r");
    return this.#file;
  }

  async #guard<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw error instanceof CorruptionError ? this.#corrupt(error) : error;
    }
  }

  #corrupt(cause: CorruptionError): CorruptionError {
    return cause.message.startsWith(this.path)
      ? cause
      : new CorruptionError(`${this.path} is corrupt: ${cause.message}`, { cause });
  }

  async #meetFate(): Promise<void> {
    if (this.#fate === "removed") await rm(this.path, { force: true });
    if (this.#fate === "corrupt") await rename(this.path, `${this.path}.corrupt`).catch(() => {});
  }
}

function sourceFor(
  hints: SelectHints,
  samples: SeriesSource,
  windows: WindowsFile,
  resolutionMs: number,
): SeriesSource {
  const use = useOfWindows(hints);
  if (use) return new WindowSource(samples, windows, use);
  return needsPoints(hints, resolutionMs) ? new RateSource(samples, windows, resolutionMs, hints) : samples;
}

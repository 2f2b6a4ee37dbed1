import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "@sightline/model/logger.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { assertDamage } from "../files/assert-damage.ts";
import { Manifest } from "../files/manifest.ts";
import { Block, type BlockCache } from "./block.ts";
import type { Deletion } from "./deletion.ts";
import { windowsPathOf } from "./downsampling/windows-file.ts";
import type { ListedBlock } from "./listed-block.ts";
import { preloadBlocks } from "./preload-blocks.ts";
import { type BlockEntry, EMPTY_MANIFEST, parseTenantManifest, type TenantManifest } from "./tenant-manifest.ts";
import type { WrittenBlock } from "./write-blocks.ts";

/** Of a file. Larger ones are seldom about the newest samples alone, and would take much of the cache. */
const MAX_PRELOADED_BYTES = 4 * 1024 * 1024;
const NEVER_ABORTED = new AbortController().signal;

const BLOCK_SUFFIX = ".block";
const SIDE_SUFFIX = ".side";

/** The files of one tenant: its directory, the manifest, and the open blocks. Changes are durable when they settle. */
export class BlockList {
  readonly dir: string;
  readonly #cache: BlockCache;
  readonly #manifest: Manifest<TenantManifest>;
  readonly #blocks = new Map<string, Block>();
  #listed: { readonly of: TenantManifest; readonly blocks: readonly ListedBlock[] } | undefined;
  #nextFile: number;

  private constructor(dir: string, cache: BlockCache, manifest: Manifest<TenantManifest>) {
    this.dir = dir;
    this.#cache = cache;
    this.#manifest = manifest;
    this.#nextFile = manifest.value.nextFile;
  }

  /** Opens the directory, making it if need be, and deletes what an interrupted write has left there. */
  static async open(dir: string, cache: BlockCache, logger: Logger): Promise<BlockList> {
    await mkdir(dir, { recursive: true });
    const manifest = await Manifest.openToWrite(join(dir, "manifest"), parseTenantManifest, EMPTY_MANIFEST, logger);
    const { blocks, sideData } = manifest.value;
    const known = new Set([...blocks.flatMap(filesOf), sideData?.file]);
    for (const file of await readdir(dir)) {
      const isOurs = [BLOCK_SUFFIX, SIDE_SUFFIX, windowsPathOf(BLOCK_SUFFIX), ".tmp"].some((end) => file.endsWith(end));
      if (!isOurs || known.has(file)) continue;
      logger.info("deleting a file of an interrupted write", { file: join(dir, file) });
      await rm(join(dir, file), { force: true });
    }
    return new BlockList(dir, cache, manifest);
  }

  /** In the order they were first written. */
  get blocks(): readonly ListedBlock[] {
    const { value } = this.#manifest;
    if (this.#listed?.of !== value) this.#listed = { of: value, blocks: this.#list(value) };
    return this.#listed.blocks;
  }

  /** How many deletions wait for the files to be written anew. */
  get deletions(): number {
    return this.#manifest.value.deletions?.length ?? 0;
  }

  /** What a copy of these blocks must say of itself to be read like this directory; it takes part in no log. */
  manifestOf(blocks: readonly ListedBlock[], sideData: TenantManifest["sideData"]): TenantManifest {
    const { deletions = [] } = this.#manifest.value;
    const entries = blocks.map(({ block: _, deleted: __, ...entry }) => entry);
    return { ...withDeletions(entries, deletions), nextFile: this.#nextFile, ...(sideData && { sideData }) };
  }

  get flushedPosition(): number {
    return this.#manifest.value.flushedPosition ?? Number.NEGATIVE_INFINITY;
  }

  get sideData(): { readonly path: string; readonly crc: number } | undefined {
    const { sideData } = this.#manifest.value;
    return sideData && { path: join(this.dir, sideData.file), crc: sideData.crc };
  }

  overlapping({ startMs, endMs }: TimeRange): ListedBlock[] {
    return this.blocks.filter(({ minTimeMs, maxTimeMs }) => minTimeMs <= endMs && maxTimeMs >= startMs);
  }

  nextBlockPath(partition: number): string {
    return join(
      this.dir,
      `${new Date(partition * 86_400_000).toISOString().slice(0, 10)}-${this.#nextFile++}${BLOCK_SUFFIX}`,
    );
  }

  nextSidePath(): string {
    return join(this.dir, `${this.#nextFile++}${SIDE_SUFFIX}`);
  }

  /**
   * Has blocks that are about to be added ready for queries, which would have to read one small part after the other. What
   * can't be read is left to whoever asks for it.
   */
  async preload(written: readonly WrittenBlock[]): Promise<void> {
    const small = written.filter(({ bytes }) => bytes <= MAX_PRELOADED_BYTES).map(entryOf);
    for (const entry of small) {
      const block = this.#blockOf(entry);
      block.acquire();
      await preloadBlocks([{ ...entry, block, deleted: [] }], () => true, NEVER_ABORTED).catch(() => {});
      await block.release();
    }
  }

  /** Adds blocks that hold everything appended up to `position`, and the side data if it was written anew. */
  async add(written: readonly WrittenBlock[], position: number, side?: { path: string; crc: number }): Promise<void> {
    const oldSide = this.sideData;
    await this.#update(({ blocks }) => ({ blocks: [...blocks, ...written.map(entryOf)] }), {
      flushedPosition: position,
      ...(side && { sideData: { file: basename(side.path), crc: side.crc } }),
    });
    if (side && oldSide) await rm(oldSide.path, { force: true });
  }

  /**
   * Puts `written`, which has all but what is deleted of `merged`, in their place, and deletes those. What was deleted
   * of them meanwhile is deleted of `written`.
   */
  async replace(merged: readonly ListedBlock[], written: readonly WrittenBlock[]): Promise<void> {
    const gone = new Set(merged.map(({ file }) => file));
    const applied = new Set(merged.flatMap(({ deletions = [] }) => deletions));
    await this.#update(({ blocks }) => {
      const at = Math.max(
        0,
        blocks.findIndex(({ file }) => gone.has(file)),
      );
      const isKept = ({ file }: BlockEntry) => !gone.has(file);
      const deleted = blocks.flatMap(({ file, deletions = [] }) => (gone.has(file) ? deletions : []));
      const later = [...new Set(deleted)].filter((id) => !applied.has(id)).sort((a, b) => a - b);
      const entries = written.map((block) => ({ ...entryOf(block), ...(later.length > 0 && { deletions: later }) }));
      return { blocks: [...blocks.slice(0, at).filter(isKept), ...entries, ...blocks.slice(at).filter(isKept)] };
    });
    for (const { file, block } of merged) {
      this.#blocks.delete(file);
      await block.remove();
    }
  }

  /** Deletes files that will not come to be blocks; the manifest must never have named them. */
  async discard(written: readonly WrittenBlock[]): Promise<void> {
    for (const { path } of written) {
      this.#blocks.delete(basename(path));
      for (const file of [path, windowsPathOf(path)]) await rm(file, { force: true }).catch(() => {});
    }
  }

  async remove(removed: readonly ListedBlock[]): Promise<void> {
    await this.replace(removed, []);
  }

  /**
   * Hides samples of all blocks that overlap the range, but of those in `untouched`. The blocks are left as they are.
   * Returns the part of the range in which samples may have gone; undefined when there is none.
   */
  async hide(
    matchers: readonly Matcher[],
    { startMs, endMs }: TimeRange,
    untouched: ReadonlySet<string>,
  ): Promise<TimeRange | undefined> {
    const isHidden = ({ file, minTimeMs, maxTimeMs }: BlockEntry) =>
      minTimeMs <= endMs && maxTimeMs >= startMs && !untouched.has(file);
    let changed: TimeRange | undefined;
    if (!this.#manifest.value.blocks.some(isHidden)) return undefined;
    await this.#update(({ blocks, deletions = [], nextFile }) => {
      const hidden = blocks.filter(isHidden);
      changed = {
        startMs: Math.max(startMs, Math.min(...hidden.map(({ minTimeMs }) => minTimeMs))),
        endMs: Math.min(endMs, Math.max(...hidden.map(({ maxTimeMs }) => maxTimeMs))),
      };
      const id = Math.max(nextFile, ...deletions.map(({ id }) => id + 1));
      return {
        blocks: blocks.map((entry) =>
          isHidden(entry) ? { ...entry, deletions: [...(entry.deletions ?? []), id] } : entry,
        ),
        deletions: [...deletions, { id, startMs, endMs, matchers: [...matchers] }],
      };
    });
    return changed;
  }

  /** Throws what failed to be read from a block, unless that means that it is damaged: see {@link assertDamage}. */
  assertDamage(error: unknown, { block }: ListedBlock): Promise<void> {
    return assertDamage(error, block.path, this.#manifest.path);
  }

  /** Takes a damaged block out and puts its file aside. False when it was out already. */
  async quarantine({ file, block }: ListedBlock): Promise<boolean> {
    if (!this.#blocks.delete(file)) return false;
    await this.#update(({ blocks }) => ({ blocks: blocks.filter((entry) => entry.file !== file) }));
    await block.quarantine();
    return true;
  }

  async #update(
    change: (value: TenantManifest) => Pick<TenantManifest, "blocks"> & Partial<TenantManifest>,
    rest: Partial<TenantManifest> = {},
  ): Promise<void> {
    await this.#manifest.update((value) => {
      const { blocks, deletions = [], ...changed } = { ...value, ...rest, ...change(value) };
      return { ...changed, ...withDeletions(blocks, deletions), nextFile: this.#nextFile };
    });
  }

  #list({ blocks, deletions = [] }: TenantManifest): ListedBlock[] {
    const byId = new Map(deletions.map((deletion) => [deletion.id, deletion]));
    return blocks.map((entry) => ({
      ...entry,
      block: this.#blockOf(entry),
      deleted: (entry.deletions ?? []).map((id) => byId.get(id) as Deletion),
    }));
  }

  #blockOf({ file, downsampled }: BlockEntry): Block {
    let block = this.#blocks.get(file);
    if (!block) {
      const path = join(this.dir, file);
      const windows = downsampled?.windows ? new Block(windowsPathOf(path), this.#cache) : undefined;
      block = new Block(path, this.#cache, windows);
      this.#blocks.set(file, block);
    }
    return block;
  }
}

/** Names of all files of a block. */
export function filesOf({ file, downsampled }: BlockEntry): string[] {
  return downsampled?.windows ? [file, windowsPathOf(file)] : [file];
}

function entryOf({ path, ...entry }: WrittenBlock): BlockEntry {
  return { file: basename(path), ...entry };
}

/** Deletions that no block names any more are done with. */
function withDeletions(blocks: BlockEntry[], known: NonNullable<TenantManifest["deletions"]>) {
  const named = new Set(blocks.flatMap(({ deletions = [] }) => deletions));
  const deletions = known.filter(({ id }) => named.has(id));
  const version = deletions.length > 0 || blocks.some(({ downsampled }) => downsampled) ? (2 as const) : (1 as const);
  return { version, blocks, ...(deletions.length > 0 && { deletions }) };
}

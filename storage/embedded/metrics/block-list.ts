import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Logger } from "@sightline/model/logger.ts";
import type { TimeRange } from "@sightline/model/ports.ts";
import { Manifest } from "../files/manifest.ts";
import { Block, type BlockCache } from "./block.ts";
import { type BlockEntry, EMPTY_MANIFEST, parseTenantManifest, type TenantManifest } from "./tenant-manifest.ts";
import type { WrittenBlock } from "./write-blocks.ts";

/** A block and what the manifest says of it. */
export type ListedBlock = BlockEntry & { readonly block: Block };

const BLOCK_SUFFIX = ".block";
const SIDE_SUFFIX = ".side";

/** The files of one tenant: its directory, the manifest, and the open blocks. Changes are durable when they settle. */
export class BlockList {
  readonly dir: string;
  readonly #cache: BlockCache;
  readonly #manifest: Manifest<TenantManifest>;
  readonly #blocks = new Map<string, Block>();
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
    const manifest = await Manifest.open(join(dir, "manifest"), parseTenantManifest, EMPTY_MANIFEST);
    const { blocks, sideData } = manifest.value;
    const known = new Set([...blocks.map(({ file }) => file), sideData?.file]);
    for (const file of await readdir(dir)) {
      const isOurs = file.endsWith(BLOCK_SUFFIX) || file.endsWith(SIDE_SUFFIX) || file.endsWith(".tmp");
      if (!isOurs || known.has(file)) continue;
      logger.info("deleting a file of an interrupted write", { file: join(dir, file) });
      await rm(join(dir, file), { force: true });
    }
    return new BlockList(dir, cache, manifest);
  }

  /** In the order they were first written. */
  get blocks(): readonly ListedBlock[] {
    return this.#manifest.value.blocks.map((entry) => ({ ...entry, block: this.#blockOf(entry) }));
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

  /** Adds blocks that hold everything appended up to `position`, and the side data if it was written anew. */
  async add(written: readonly WrittenBlock[], position: number, side?: { path: string; crc: number }): Promise<void> {
    const oldSide = this.sideData;
    await this.#update((blocks) => [...blocks, ...written.map(entryOf)], {
      flushedPosition: position,
      ...(side && { sideData: { file: basename(side.path), crc: side.crc } }),
    });
    if (side && oldSide) await rm(oldSide.path, { force: true });
  }

  /** Puts `written` in the place of `merged`, and deletes those. */
  async replace(merged: readonly ListedBlock[], written: readonly WrittenBlock[]): Promise<void> {
    const gone = new Set(merged.map(({ file }) => file));
    await this.#update((blocks) => {
      const at = Math.max(
        0,
        blocks.findIndex(({ file }) => gone.has(file)),
      );
      const isKept = ({ file }: BlockEntry) => !gone.has(file);
      return [...blocks.slice(0, at).filter(isKept), ...written.map(entryOf), ...blocks.slice(at).filter(isKept)];
    });
    for (const { file, block } of merged) {
      this.#blocks.delete(file);
      await block.remove();
    }
  }

  /** Deletes files that will not come to be blocks; the manifest must never have named them. */
  async discard(written: readonly WrittenBlock[]): Promise<void> {
    for (const { path } of written) await rm(path, { force: true }).catch(() => {});
  }

  async remove(removed: readonly ListedBlock[]): Promise<void> {
    await this.replace(removed, []);
  }

  /** Takes a damaged block out and puts its file aside. False when it was out already. */
  async quarantine({ file, block }: ListedBlock): Promise<boolean> {
    if (!this.#blocks.delete(file)) return false;
    await this.#update((blocks) => blocks.filter((entry) => entry.file !== file));
    await block.quarantine();
    return true;
  }

  async #update(
    change: (blocks: readonly BlockEntry[]) => BlockEntry[],
    rest: Partial<TenantManifest> = {},
  ): Promise<void> {
    await this.#manifest.update((value) => ({
      ...value,
      ...rest,
      blocks: change(value.blocks),
      nextFile: this.#nextFile,
    }));
  }

  #blockOf({ file }: BlockEntry): Block {
    let block = this.#blocks.get(file);
    if (!block) {
      block = new Block(join(this.dir, file), this.#cache);
      this.#blocks.set(file, block);
    }
    return block;
  }
}

function entryOf({ path, ...entry }: WrittenBlock): BlockEntry {
  return { file: basename(path), ...entry };
}

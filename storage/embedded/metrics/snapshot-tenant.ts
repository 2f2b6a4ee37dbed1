import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { linkOrCopy } from "../files/link-or-copy.ts";
import { Manifest } from "../files/manifest.ts";
import { syncDirectory } from "../files/write-file-atomic.ts";
import { type BlockList, filesOf } from "./block-list.ts";
import type { SideData } from "./side-data.ts";
import { EMPTY_MANIFEST, parseTenantManifest } from "./tenant-manifest.ts";

/**
 * Makes a tenant's directory of what is on disk, and of the exemplars and metadata in memory. Blocks never change, so a
 * second name for the file is a copy of it that takes no space. The manifest is written last: before, there is no copy.
 */
export async function snapshotTenant(files: BlockList, side: SideData, dir: string): Promise<void> {
  const blocks = files.blocks;
  for (const { block } of blocks) block.acquire();
  try {
    await mkdir(dir, { recursive: true });
    for (const file of blocks.flatMap(filesOf)) await linkOrCopy(join(files.dir, file), join(dir, file));
    const sidePath = join(dir, basename(files.nextSidePath()));
    const crc = await side.save(sidePath, { isCopy: true });
    await syncDirectory(dir);
    const manifest = await Manifest.open(join(dir, "manifest"), parseTenantManifest, EMPTY_MANIFEST);
    await manifest.update(() => files.manifestOf(blocks, { file: basename(sidePath), crc }));
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  } finally {
    for (const { block } of blocks) await block.release();
  }
}

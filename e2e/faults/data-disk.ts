import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const SIZE_MIB = 384;
const BALLAST_CHUNK = Buffer.alloc(1024 * 1024, 1);

/** Where the server's data is: a small file system of its own where we may mount one, so that it can really be full. */
export class DataDisk {
  readonly dataDir: string;
  readonly isOwn: boolean;
  readonly #mount: string;
  readonly #ballast: string;

  constructor(dir: string, sizeMiB = SIZE_MIB) {
    this.#mount = join(dir, "disk");
    mkdirSync(this.#mount);
    const options = ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs", this.#mount];
    this.isOwn = process.platform === "linux" && spawnSync("mount", options).status === 0;
    this.#ballast = join(this.#mount, "ballast");
    this.dataDir = join(this.#mount, "data");
  }

  /** The directory where it is mounted. */
  get root(): string {
    return this.#mount;
  }

  /** Takes all the space that is left but for the last `spareBytes`. Only where {@link isOwn}. */
  fill(spareBytes: number): void {
    if (!this.isOwn) throw new Error("this disk is not ours to fill");
    const file = openSync(this.#ballast, "w");
    const spare = join(this.#mount, "spare");
    const reserved = openSync(spare, "w");
    writeSync(reserved, Buffer.alloc(spareBytes));
    try {
      for (let chunk = BALLAST_CHUNK; chunk.length > 0; ) {
        const written = writeOrNothing(file, chunk);
        if (written < chunk.length) chunk = chunk.subarray(0, chunk.length >> 1);
      }
    } finally {
      closeSync(file);
      closeSync(reserved);
      rmSync(spare);
    }
  }

  free(): void {
    rmSync(this.#ballast, { force: true });
  }

  dispose(): void {
    if (this.isOwn) spawnSync("umount", [this.#mount]);
  }
}

function writeOrNothing(file: number, bytes: Uint8Array): number {
  try {
    return writeSync(file, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") return 0;
    throw error;
  }
}

import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("interposer.c", import.meta.url));
const CONTROL_BYTES = 1024;
const MAX_PATH_BYTES = 1_000;

/** What a disk or a clock does wrong. Errors are numbers as in errno.h. */
export type Misbehaviour = {
  /** The process' clock is ahead by so much; whole seconds. */
  readonly clockOffsetMs?: number;
  /** Each fsync and fdatasync takes so much longer. */
  readonly syncDelayMs?: number;
  /** They fail. */
  readonly syncErrno?: number;
  /** Writes stop half-way and fail, files can't be made. */
  readonly writeErrno?: number;
  /** Whatever is done with a file fails. */
  readonly accessErrno?: number;
  /** Paths that begin like this are concerned; none by default. */
  readonly path?: string;
};

export const EIO = 5;
export const ENOSPC = 28;

/**
 * A library between the server and libc, built here with the machine's C compiler, that makes the disk or the clock
 * misbehave while the server runs. {@link Interposer.build} gives undefined where there is no compiler.
 */
export class Interposer {
  /** What the server has to be started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly #control: number;

  private constructor(library: string, controlPath: string) {
    this.#control = openSync(controlPath, "w+");
    ftruncateSync(this.#control, CONTROL_BYTES);
    this.env = { LD_PRELOAD: library, INTERPOSER_CONTROL: controlPath };
  }

  static build(dir: string): Interposer | undefined {
    if (process.platform !== "linux") return undefined;
    const library = join(dir, "interposer.so");
    const { status } = spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"]);
    return status === 0 ? new Interposer(library, join(dir, "interposer.control")) : undefined;
  }

  /** From now on, also for processes that start later. */
  set(misbehaviour: Misbehaviour): void {
    const {
      clockOffsetMs = 0,
      syncDelayMs = 0,
      syncErrno = 0,
      writeErrno = 0,
      accessErrno = 0,
      path = "",
    } = misbehaviour;
    const bytes = Buffer.alloc(CONTROL_BYTES);
    bytes.writeBigInt64LE(BigInt(clockOffsetMs), 0);
    bytes.writeUInt32LE(syncDelayMs, 8);
    bytes.writeUInt32LE(syncErrno, 12);
    bytes.writeUInt32LE(writeErrno, 16);
    bytes.writeUInt32LE(accessErrno, 20);
    bytes.write(path.slice(0, MAX_PATH_BYTES - 1), 24);
    writeSync(this.#control, bytes, 0, bytes.length, 0);
  }

  clear(): void {
    this.set({});
  }

  close(): void {
    closeSync(this.#control);
  }
}

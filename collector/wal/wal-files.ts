import * as fs from "node:fs";
import { promisify } from "node:util";

/** The file operations the log's durability rests on, in one place so that tests can make each of them fail. */
export type WalFiles = {
  /** `flags` as in `fs.open`. Gives a file descriptor. */
  open(path: string, flags: string): Promise<number>;
  /** Writes one buffer after the other from `offset` on; may write less than everything, as writev(2). */
  write(fd: number, buffers: readonly Uint8Array[], offset: number): Promise<number>;
  /** Contents, and the file's length where that changed, are durable afterwards: fdatasync(2). */
  sync(fd: number): Promise<void>;
  truncate(fd: number, length: number): Promise<void>;
  close(fd: number): Promise<void>;
};

const open = promisify(fs.open);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const close = promisify(fs.close);

export const DISK_FILES: WalFiles = {
  open: (path, flags) => open(path, flags, 0o600),
  write: (fd, buffers, offset) =>
    new Promise((resolve, reject) => {
      fs.writev(fd, buffers as Uint8Array[], offset, (error, written) => (error ? reject(error) : resolve(written)));
    }),
  sync: (fd) => fdatasync(fd),
  truncate: (fd, length) => ftruncate(fd, length),
  close: (fd) => close(fd),
};

/** Makes creations, renames and removals in `dir` durable. */
export async function syncDirectory(files: WalFiles, dir: string): Promise<void> {
  const fd = await files.open(dir, "r");
  try {
    await files.sync(fd);
  } finally {
    await files.close(fd);
  }
}

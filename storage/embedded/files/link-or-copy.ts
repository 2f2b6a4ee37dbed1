import { copyFile, link } from "node:fs/promises";

/**
 * Gives a file that never changes a second name, which is a copy that takes no space; or copies it, where the other
 * directory is on another file system.
 */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "ENOTSUP") throw error;
    await copyFile(from, to);
  }
}

import { createReadStream } from "node:fs";
import { copyFile, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Readable } from "node:stream";
import { NotFoundError } from "@sightline/model/errors.ts";
import type { BackupTarget } from "./backup-target.ts";

/** A directory, on another disk if it is to be of any use. Objects are files below it. */
export class DirectoryTarget implements BackupTarget {
  readonly address: string;

  constructor(dir: string) {
    this.address = dir;
  }

  async *list(prefix: string): AsyncGenerator<string> {
    const dir = join(this.address, dirname(`${prefix}x`));
    const entries = await readdir(dir, { withFileTypes: true, recursive: true }).catch(orEmpty);
    for (const entry of entries) {
      const name = relative(this.address, join(entry.parentPath, entry.name));
      if (entry.isFile() && name.startsWith(prefix) && !name.endsWith(".part")) yield name;
    }
  }

  async read(name: string): Promise<Readable> {
    const path = join(this.address, name);
    await stat(path).catch((cause) => {
      throw new NotFoundError(`${path} is not there`, { cause });
    });
    return createReadStream(path);
  }

  async writeFile(name: string, path: string): Promise<void> {
    await this.#write(name, (part) => copyFile(path, part));
  }

  async writeText(name: string, text: string): Promise<void> {
    await this.#write(name, async (part) => {
      const file = await open(part, "w", 0o600);
      await file.writeFile(text).finally(() => file.close());
    });
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.address, name), { force: true });
  }

  async #write(name: string, write: (part: string) => Promise<void>): Promise<void> {
    const path = join(this.address, name);
    const part = `${path}.part`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await write(part);
    await sync(part);
    await rename(part, path);
    await sync(dirname(path));
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.sync().finally(() => file.close());
}

function orEmpty(error: NodeJS.ErrnoException): never[] {
  if (error.code === "ENOENT") return [];
  throw error;
}

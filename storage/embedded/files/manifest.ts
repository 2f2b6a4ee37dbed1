import { readFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import { writeFileAtomic } from "./write-file-atomic.ts";

/**
 * A small JSON document that says which files of a directory count, replaced as a whole: the one point of a commit.
 * On disk: eight hex digits of CRC-32, a line end, the JSON text.
 */
export class Manifest<T> {
  readonly path: string;
  #value: T;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, value: T) {
    this.path = path;
    this.#value = value;
  }

  /**
   * Reads the manifest, `initial` when there is no such file. `parse` checks the JSON and throws when it is not of a
   * version it knows. Throws {@link CorruptionError} naming the file when it can't be read back as written.
   */
  static async open<T>(path: string, parse: (json: unknown) => T, initial: T): Promise<Manifest<T>> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Manifest(path, initial);
      throw cause;
    }
    const json = text.slice(9);
    if (text[8] !== "\n" || checksum(json) !== text.slice(0, 8)) {
      throw new CorruptionError(`${path}: the manifest does not match its checksum; restore it from a backup`);
    }
    try {
      return new Manifest(path, parse(JSON.parse(json)));
    } catch (cause) {
      throw new CorruptionError(`${path}: the manifest can't be understood: ${(cause as Error).message}`, { cause });
    }
  }

  get value(): T {
    return this.#value;
  }

  /**
   * Durably replaces the value; `change` gets the newest one and must not modify it. Changes happen one after the
   * other in the order of the calls. When writing fails the value stays as it was.
   */
  update(change: (value: T) => T): Promise<void> {
    const done = this.#writing.then(async () => {
      const next = change(this.#value);
      const json = JSON.stringify(next);
      await writeFileAtomic(this.path, Buffer.from(`${checksum(json)}\n${json}`));
      this.#value = next;
    });
    this.#writing = done.catch(() => {});
    return done;
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

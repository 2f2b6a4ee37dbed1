import { readFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { writeFileAtomic } from "./write-file-atomic.ts";

/**
 * A small JSON document that says which files of a directory count, replaced as a whole: the one point of a commit.
 * On disk: eight hex digits of CRC-32, a line end, the JSON text. A copy beside it (`.copy`) stands in when the file is
 * damaged or gone: without a manifest nothing of the directory could be served.
 */
export class Manifest<T> {
  readonly path: string;
  /** Why the copy had to be used; undefined when the manifest itself was good. */
  readonly damage: CorruptionError | undefined;
  #value: T;
  /** What the files should be made to hold by {@link repair}. */
  #repairs: readonly Repair[];
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, value: T, repairs: readonly Repair[] = [], damage?: CorruptionError) {
    this.path = path;
    this.#value = value;
    this.#repairs = repairs;
    this.damage = damage;
  }

  /**
   * Reads the manifest, `initial` when there is no such file. `parse` checks the JSON and throws when it is not of a
   * version it knows. Writes nothing. Throws {@link CorruptionError} naming the file when neither it nor its copy can be
   * read back as written.
   */
  static async open<T>(path: string, parse: (json: unknown) => T, initial: T): Promise<Manifest<T>> {
    const [bytes, copy] = await Promise.all([readIfThere(path), readIfThere(copyOf(path))]);
    if (!bytes && !copy) return new Manifest(path, initial);
    try {
      const value = parseBytes(path, bytes, parse);
      const isCopied = bytes !== undefined && copy?.equals(bytes) === true;
      return new Manifest(path, value, isCopied || !bytes ? [] : [{ path: copyOf(path), bytes }]);
    } catch (error) {
      if (!copy || !(error instanceof CorruptionError)) throw error;
      const value = parseCopy(path, copy, parse, error);
      return new Manifest(path, value, [{ path, bytes: copy }], error);
    }
  }

  /** As {@link Manifest.open} for whoever may write here: makes file and copy alike again, and logs damage. */
  static async openToWrite<T>(
    path: string,
    parse: (json: unknown) => T,
    initial: T,
    logger: Logger,
  ): Promise<Manifest<T>> {
    const manifest = await Manifest.open(path, parse, initial);
    if (manifest.damage) logger.error("a manifest was damaged; its copy is used", { error: manifest.damage });
    try {
      await manifest.repair();
    } catch (error) {
      logger.warn("could not make a manifest and its copy alike; the next change will", { file: path, error });
    }
    return manifest;
  }

  async repair(): Promise<void> {
    for (const { path, bytes } of this.#repairs) await writeFileAtomic(path, bytes);
    this.#repairs = [];
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
      const bytes = Buffer.from(`${checksum(json)}\n${json}`);
      // The copy first: what it names is on disk already, and what it leaves out is removed only after the commit.
      await writeFileAtomic(copyOf(this.path), bytes);
      await writeFileAtomic(this.path, bytes);
      this.#value = next;
    });
    this.#writing = done.catch(() => {});
    return done;
  }
}

type Repair = { readonly path: string; readonly bytes: Buffer };

function copyOf(path: string): string {
  return `${path}.copy`;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
}

function parseBytes<T>(path: string, bytes: Buffer | undefined, parse: (json: unknown) => T): T {
  if (!bytes) throw new CorruptionError(`${path}: the manifest is gone`);
  const text = bytes.toString("utf8");
  const json = text.slice(9);
  if (text[8] !== "\n" || checksum(json) !== text.slice(0, 8)) {
    throw new CorruptionError(`${path}: the manifest does not match its checksum; restore it from a backup`);
  }
  try {
    return parse(JSON.parse(json));
  } catch (cause) {
    throw new CorruptionError(`${path}: the manifest can't be understood: ${(cause as Error).message}`, { cause });
  }
}

/** When the copy is no better, the error of the manifest itself says more. */
function parseCopy<T>(path: string, copy: Buffer, parse: (json: unknown) => T, error: CorruptionError): T {
  try {
    return parseBytes(copyOf(path), copy, parse);
  } catch {
    throw error;
  }
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

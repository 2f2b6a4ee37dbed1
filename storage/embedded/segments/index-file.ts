import { open, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, zstdCompress, zstdDecompress } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import { Breather } from "./breather.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Durably writes JSON values, a line each, compressed with zstd. Values may come lazily. */
export async function writeIndexFile(
  path: string,
  values: Iterable<unknown>,
): Promise<{ readonly crc: number; readonly bytes: number }> {
  const breather = new Breather({ isBackground: true });
  const lines: string[] = [];
  for (const value of values) {
    lines.push(JSON.stringify(value));
    if (breather.due) await breather.pause();
  }
  const bytes = await compress(lines.join("\n"));
  const file = await open(path, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return { crc: crc32(bytes), bytes: bytes.length };
}

/**
 * Reads what {@link writeIndexFile} wrote; `parse` is given the values. Throws {@link CorruptionError} when the file does
 * not match `crc`, or can't be understood although it does.
 */
export async function readIndexFile<T>(
  path: string,
  crc: number,
  parse: (values: readonly unknown[]) => T,
): Promise<{ readonly value: T; readonly textBytes: number }> {
  const compressed = await readFile(path);
  if (crc32(compressed) !== crc) throw new CorruptionError(`${path}: the file does not match its checksum`);
  try {
    const text = (await decompress(compressed)).toString("utf8");
    return { value: parse(await parseLines(text)), textBytes: text.length };
  } catch (cause) {
    throw new CorruptionError(`${path}: the index can't be understood: ${(cause as Error).message}`, { cause });
  }
}

async function parseLines(text: string): Promise<readonly unknown[]> {
  const breather = new Breather();
  const values: unknown[] = [];
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (end > start) values.push(JSON.parse(text.slice(start, end)));
    start = end + 1;
    if (breather.due) await breather.pause();
  }
  return values;
}

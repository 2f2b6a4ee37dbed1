import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Secret } from "./secret.ts";

/** A file that a setting names can't be read. */
export class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
}

const MAX_FILE_BYTES = 1024 * 1024;
/** Shorter texts would be found in anything. */
const MIN_REDACTED = 4;
const MAX_REMEMBERED = 64;

/**
 * The secrets of one integration: reads those that are in files, every time anew so that they can be changed, and blots
 * them out of what others say.
 */
export class ReceiverSecrets {
  readonly #dir: string | undefined;
  readonly #seen = new Set<string>();

  /** Relative paths are seen from `dir`: that of the configuration. Undefined: no file is read. */
  constructor(dir: string | undefined) {
    this.#dir = dir;
  }

  /** Throws {@link UnreadableFileError}. */
  async readFile(path: string): Promise<string> {
    if (this.#dir === undefined) throw new UnreadableFileError("the configuration can't name files of the server");
    const absolute = isAbsolute(path) ? path : join(this.#dir, path);
    try {
      const file = await open(absolute);
      try {
        const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
        const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
        if (bytesRead > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
        return buffer.toString("utf8", 0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw new UnreadableFileError(`could not read ${absolute}: ${(cause as Error).message}`, { cause });
    }
  }

  /** The secret itself, or else the content of the file without spaces around it; "" when there is neither. */
  async reveal(secret: Secret | undefined, file: string | undefined): Promise<string> {
    const text = secret?.reveal() ?? (file === undefined ? "" : (await this.readFile(file)).trim());
    this.remember(text);
    return text;
  }

  /** {@link redact} will know it. */
  remember(text: string): void {
    if (text.length < MIN_REDACTED) return;
    this.#seen.delete(text);
    this.#seen.add(text);
    if (this.#seen.size > MAX_REMEMBERED) for (const oldest of this.#seen) return void this.#seen.delete(oldest);
  }

  redact(text: string): string {
    let out = text;
    for (const secret of this.#seen) {
      out = out.replaceAll(secret, "<secret>");
      const encoded = encodeURIComponent(secret);
      if (encoded !== secret) out = out.replaceAll(encoded, "<secret>");
    }
    return out;
  }
}

export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

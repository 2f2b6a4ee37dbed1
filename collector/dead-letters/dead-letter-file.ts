import { open, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { CorruptionError, NotFoundError } from "@sightline/model/errors.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import type { ContentEncoding, Protocol, WireRequest } from "@sightline/proto/wire-request.ts";

/** Why a request that was answered with success is not in its store. */
export type DeadLetterReason =
  /** The store threw something that will be thrown again. */
  | "refused"
  /** It could be decoded when it came, but not when it was read from the log. */
  | "undecodable"
  /** The store took a later request although it could not take this one: giving it again might be ignored. */
  | "overtaken";

export type DeadLetter = {
  /** Its file's name without the extension; ascends with time. */
  readonly id: string;
  readonly reason: DeadLetterReason;
  /** What the store said. */
  readonly message: string;
  readonly failedAtMs: number;
  /** In the write-ahead log. */
  readonly position: number;
  readonly tenant: string;
  readonly protocol: string;
  readonly encoding: string;
  readonly receivedAtMs: number;
  readonly bodyBytes: number;
};

/** In the answer to a request that became a dead letter. */
export const KEPT_AS_DEAD_LETTER = "kept as a dead letter";

const EXTENSION = ".letter";
const ID = /^[0-9]{1,20}-[0-9]{1,20}$/;
/** The first line holds the letter as JSON; messages are cut so that it stays below this. */
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_MESSAGE_CHARACTERS = 2_000;

/** A file: the letter as one line of JSON, then the request's body as it came. */
export function encodeLetter(letter: Omit<DeadLetter, "id" | "bodyBytes">, body: Uint8Array): Buffer {
  const message = letter.message.slice(0, MAX_MESSAGE_CHARACTERS);
  const header = { version: 1, ...letter, message, bodyBytes: body.length, bodyCrc32: crc32(body) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

export function letterId(failedAtMs: number, position: number): string {
  return `${String(failedAtMs).padStart(15, "0")}-${String(position).padStart(16, "0")}`;
}

export function letterPath(dir: string, id: string): string {
  if (!ID.test(id)) throw new NotFoundError(`no dead letter has the id ${JSON.stringify(id)}`);
  return join(dir, id + EXTENSION);
}

/** Ids in the order of time; empty when the directory does not exist. */
export async function letterIds(dir: string): Promise<readonly string[]> {
  const files = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return files
    .filter((file) => file.endsWith(EXTENSION) && ID.test(file.slice(0, -EXTENSION.length)))
    .map((file) => file.slice(0, -EXTENSION.length))
    .sort();
}

export async function letterFileBytes(dir: string, id: string): Promise<number> {
  return (await stat(letterPath(dir, id))).size;
}

/**
 * Yields every letter, the oldest first, reading no bodies. Works on the directory alone, with or without a server
 * using it. Throws `CorruptionError` for a file that is none.
 */
export async function* listDeadLetters(dir: string): AsyncGenerator<DeadLetter> {
  for (const id of await letterIds(dir)) {
    const file = await open(letterPath(dir, id), "r").catch(() => undefined);
    // Removed meanwhile.
    if (!file) continue;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HEADER_BYTES), 0, MAX_HEADER_BYTES, 0);
      yield parseHeader(buffer.subarray(0, bytesRead), dir, id).letter;
    } finally {
      await file.close();
    }
  }
}

/** Throws `NotFoundError` when there is no such letter, `CorruptionError` when its file is damaged. */
export async function readDeadLetter(dir: string, id: string): Promise<{ letter: DeadLetter; request: WireRequest }> {
  const path = letterPath(dir, id);
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === "ENOENT" ? new NotFoundError(`no dead letter has the id ${id}`, { cause }) : cause;
  });
  const { letter, bodyCrc32, bodyStart } = parseHeader(bytes, dir, id);
  const body = bytes.subarray(bodyStart);
  if (body.length !== letter.bodyBytes || crc32(body) !== bodyCrc32) {
    throw new CorruptionError(`${path}: the request's body does not match its checksum`);
  }
  const request: WireRequest = {
    tenant: tenantId(letter.tenant),
    protocol: letter.protocol as Protocol,
    encoding: letter.encoding as ContentEncoding,
    receivedAtMs: letter.receivedAtMs,
    body,
  };
  return { letter, request };
}

/** Removing one that is gone already is fine. */
export async function removeDeadLetter(dir: string, id: string): Promise<void> {
  await rm(letterPath(dir, id), { force: true });
}

function parseHeader(
  bytes: Buffer,
  dir: string,
  id: string,
): { letter: DeadLetter; bodyCrc32: number; bodyStart: number } {
  const end = bytes.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  try {
    if (end < 0) throw new Error("no header line");
    const { version, bodyCrc32, ...rest } = JSON.parse(bytes.toString("utf8", 0, end));
    if (version !== 1) throw new Error(`version ${version}`);
    return { letter: { id, ...rest }, bodyCrc32, bodyStart: end + 1 };
  } catch (cause) {
    throw new CorruptionError(`${letterPath(dir, id)} is not a dead letter`, { cause });
  }
}

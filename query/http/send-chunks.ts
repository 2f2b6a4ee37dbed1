import { Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Turn } from "./turn.ts";

/** An encoder need not make pieces of a certain size: they are gathered to chunks of about this many characters. */
const CHUNK_LENGTH = 64 * 1024;
/** Text, or UTF-8 that need only be valid until the next piece is asked for. */
export type JsonPiece = string | Uint8Array;
const MIN_GZIP_LENGTH = 1_024;
/** What a very large piece took is not kept. */
const MAX_KEPT_BYTES = 8 * CHUNK_LENGTH;
/** Of a UTF-16 code unit as UTF-8. */
const MAX_CHARACTER_BYTES = 3;

/**
 * Sends what `pieces` yields. A short answer goes out at once with its length; a long one is encoded while it
 * is sent, giving way to other work every few milliseconds, and never lies in memory as a whole. Compresses when the
 * client accepts gzip. The encoder must not throw after its first piece: the status is already on its way.
 */
export async function sendChunks(
  request: FastifyRequest,
  reply: FastifyReply,
  contentType: string,
  pieces: Iterator<JsonPiece>,
): Promise<FastifyReply> {
  reply.header("content-type", contentType);
  const first = gather(pieces);
  const gzip = first.chunk.length >= MIN_GZIP_LENGTH && acceptsGzip(request.headers["accept-encoding"]);
  if (first.done && !gzip) return reply.send(first.chunk);
  const body = Readable.from(first.done ? [first.chunk] : chunks(first.chunk, pieces), { objectMode: false });
  if (!gzip) return reply.send(body);
  reply.header("content-encoding", "gzip").header("vary", "accept-encoding");
  // Level 1: a query's answer is read once, from near by.
  const compressor = createGzip({ level: constants.Z_BEST_SPEED });
  body.on("error", (error) => compressor.destroy(error));
  return reply.send(body.pipe(compressor));
}

async function* chunks(first: Buffer, pieces: Iterator<JsonPiece>): AsyncGenerator<Buffer> {
  const turn = new Turn();
  yield first;
  for (;;) {
    // A fast socket takes every chunk at once; without this nobody else would get a turn.
    await turn.rest();
    const { chunk, done } = gather(pieces);
    if (chunk.length > 0) yield chunk;
    if (done) return;
  }
}

/** Where chunks with bytes are put together: nobody else has a turn meanwhile. */
let gathered = Buffer.alloc(0);

function gather(pieces: Iterator<JsonPiece>): { chunk: Buffer; done: boolean } {
  let text = "";
  let bytes = 0;
  for (;;) {
    const piece = pieces.next();
    if (!piece.done && typeof piece.value === "string") {
      text += piece.value;
      if (bytes + text.length < CHUNK_LENGTH) continue;
    }
    const isEnd = piece.done === true || typeof piece.value === "string";
    if (isEnd && bytes === 0) return { chunk: Buffer.from(text), done: piece.done === true };
    bytes = append(text, bytes);
    text = "";
    if (!piece.done && typeof piece.value !== "string") bytes = append(piece.value, bytes);
    if (!isEnd && bytes < CHUNK_LENGTH) continue;
    const chunk = Buffer.from(gathered.subarray(0, bytes));
    if (gathered.length > MAX_KEPT_BYTES) gathered = Buffer.alloc(0);
    return { chunk, done: piece.done === true };
  }
}

/** Puts a piece behind the first `bytes` that are gathered, and returns how many there are then. */
function append(piece: JsonPiece, bytes: number): number {
  const maxBytes = bytes + piece.length * (typeof piece === "string" ? MAX_CHARACTER_BYTES : 1);
  if (gathered.length < maxBytes) {
    const larger = Buffer.allocUnsafeSlow(Math.max(maxBytes, 2 * CHUNK_LENGTH));
    larger.set(gathered.subarray(0, bytes));
    gathered = larger;
  }
  if (typeof piece === "string") return bytes + gathered.write(piece, bytes);
  gathered.set(piece, bytes);
  return bytes + piece.length;
}

/** RFC 9110 12.5.3, as far as it decides about gzip. */
export function acceptsGzip(header: string | string[] | undefined): boolean {
  for (const clause of String(header ?? "").split(",")) {
    const [coding, ...parameters] = clause.split(";").map((part) => part.trim().toLowerCase());
    if (coding === "gzip" || coding === "x-gzip")
      return !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  }
  return false;
}

import { Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Turn } from "./turn.ts";

/** An encoder need not make pieces of a certain size: they are gathered to chunks of about this many characters. */
const CHUNK_LENGTH = 64 * 1024;
/** Text or UTF-8. */
export type JsonPiece = string | Uint8Array;
const MIN_GZIP_LENGTH = 1_024;

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

function gather(pieces: Iterator<JsonPiece>): { chunk: Buffer; done: boolean } {
  const parts: Uint8Array[] = [];
  let text = "";
  let length = 0;
  let done = false;
  while (length < CHUNK_LENGTH) {
    const piece = pieces.next();
    if (piece.done) {
      done = true;
      break;
    }
    length += piece.value.length;
    if (typeof piece.value === "string") {
      text += piece.value;
      continue;
    }
    parts.push(Buffer.from(text), piece.value);
    text = "";
  }
  parts.push(Buffer.from(text));
  return { chunk: Buffer.concat(parts), done };
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

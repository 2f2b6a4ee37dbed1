import type { Socket } from "node:net";
import type { FastifyReply, FastifyRequest } from "fastify";

/** How long a client may go on sending what is not read any more, so that it sees the answer before the connection ends. */
const LINGER_MS = 1_000;

const ANSWERS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/**
 * Answers what is no HTTP request, or has more than `maxHeaderSize` of URL and headers, in plain text as Go's server does.
 * Closing at once would reset the connection under a client that is still sending, and take the answer with it.
 */
export function refuseBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // Comes again for every further piece of the same request.
  if (!socket.writable) return;
  const status = ANSWERS[error.code ?? ""] ?? "400 Bad Request";
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${status.length}\r\nconnection: close\r\n\r\n${status}`,
  );
}

/** Answers a path that can't be decoded, before any route is found: in Prometheus' form where its API would be. */
export function refuseBrokenPath(error: Error & { code?: string }, request: FastifyRequest, reply: FastifyReply): void {
  reply.code(400);
  if (!request.url.startsWith("/api/v1/")) {
    reply.type("text/plain").send(`${error.message}\n`);
    return;
  }
  const fault =
    error.code === "FST_ERR_BAD_URL" ? "the path is not percent-encoded UTF-8" : "a part of the path is too long";
  const answer = { status: "error", errorType: "bad_data", error: fault };
  reply.header("content-type", "application/json").send(Buffer.from(JSON.stringify(answer)));
}

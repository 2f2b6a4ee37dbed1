import type { Readable } from "node:stream";
import { InvalidInputError, statusOf, TooLargeError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";

const MAX_MESSAGE_LENGTH = 4_000;
/** Of a body that is refused; who sends more loses the connection. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

/** A failed call as its API is to word it. */
export type Failure = {
  readonly error: unknown;
  readonly status: number;
  /** Fit for the client: a bug's own message stays in the log. */
  readonly message: string;
};
/** Answers in the form of one API. Status and `retry-after` are set already; it may change the status. */
export type FailureSender = (reply: FastifyReply, failure: Failure) => FastifyReply;

export function sendFailure(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
  send: FailureSender,
): FastifyReply {
  const error = ownError(thrown);
  const { http: status, retryAfterMs } = statusOf(error);
  if (status === 500) logger.error("query failed", { url: request.url, error });
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1_000));
  const message = status === 500 ? "internal error; the server's log says more" : shortened((error as Error).message);
  // Fastify would close the connection on a client that is still sending, which then misses the answer.
  if (error instanceof TooLargeError) reply.removeHeader("connection");
  drain(request.raw);
  return send(reply.code(status), { error, status, message });
}

/** A message quotes what it is about, which may be a megabyte. */
function shortened(message: string): string {
  if (message.length <= MAX_MESSAGE_LENGTH) return message;
  const half = MAX_MESSAGE_LENGTH / 2;
  return `${message.slice(0, half)} … (${message.length} characters) … ${message.slice(-half)}`;
}

/** Closing a connection with unread bytes would reset it, and the client would see that instead of the answer. */
function drain(body: Readable): void {
  if (body.readableEnded || body.destroyed) return;
  let bytes = 0;
  body.on("error", () => {});
  body.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_DRAINED_BYTES) body.destroy();
  });
  body.resume();
}

/** Fastify's refusals of a body in our terms; anything else is given back as it is. */
function ownError(error: unknown): unknown {
  const { code, statusCode = 500, message = "" } = (error ?? {}) as Partial<FastifyError>;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new TooLargeError("the body is larger than query.max_form_bytes allows", { cause: error });
  }
  if (code?.startsWith("FST_ERR_") && statusCode < 500) return new InvalidInputError(message, { cause: error });
  return error;
}

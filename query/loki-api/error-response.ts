import { CancelledError, statusOf, TimeoutError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { bodyError } from "../http/accept-forms.ts";

/** Answers a failed call in plain text, with the statuses of Loki's pkg/util/server/error.go. */
export function sendLokiError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const error = bodyError(thrown);
  const { status, message } = answerTo(error);
  const { retryAfterMs } = statusOf(error);
  if (status === 500) logger.error("query failed", { url: request.url, error });
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1_000));
  return reply
    .code(status)
    .header("content-type", "text/plain; charset=utf-8")
    .header("x-content-type-options", "nosniff")
    .send(message);
}

function answerTo(error: unknown): { status: number; message: string } {
  if (error instanceof CancelledError) return { status: 499, message: "the request was cancelled by the client" };
  if (error instanceof TimeoutError) {
    return {
      status: 504,
      message:
        "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed",
    };
  }
  const { http } = statusOf(error);
  if (http === 500) return { status: 500, message: "internal error; the server's log says more" };
  // A limit is the query's fault, and Loki has no 422.
  return { status: http === 422 ? 400 : http, message: (error as Error).message };
}

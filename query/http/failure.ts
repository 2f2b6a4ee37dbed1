import { statusOf, TooLargeError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { FastifyReply, FastifyRequest } from "fastify";

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
  const message = status === 500 ? "internal error; the server's log says more" : (error as Error).message;
  return send(reply.code(status), { error, status, message });
}

/** Fastify's refusal of a body in our terms; anything else is given back as it is. */
function ownError(error: unknown): unknown {
  if ((error as { code?: unknown } | undefined)?.code !== "FST_ERR_CTP_BODY_TOO_LARGE") return error;
  return new TooLargeError("the body is larger than query.max_form_bytes allows", { cause: error });
}

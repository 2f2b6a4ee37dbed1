import { statusOf } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { bodyError } from "../http/accept-forms.ts";

/** Prometheus' `errorType` for each of our errors (web/api/v1/api.go); Grafana shows it. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  InvalidInputError: "bad_data",
  ParseError: "bad_data",
  TooLargeError: "bad_data",
  UnsupportedMediaTypeError: "bad_data",
  UnauthenticatedError: "unauthorized",
  NotFoundError: "not_found",
  LimitError: "execution",
  TimeoutError: "timeout",
  CancelledError: "canceled",
  TooManyRequestsError: "unavailable",
  UnavailableError: "unavailable",
};

/** Answers a failed call as Prometheus does. A bug is logged and its details are kept from the client. */
export function sendPrometheusError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): FastifyReply {
  const error = bodyError(thrown);
  const { http, retryAfterMs } = statusOf(error);
  const errorType = http === 500 ? "internal" : (ERROR_TYPES[(error as Error).name] ?? "internal");
  if (http === 500) logger.error("query failed", { url: request.url, error });
  if (retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(retryAfterMs / 1_000));
  const message = http === 500 ? "internal error; the server's log says more" : (error as Error).message;
  return reply
    .code(http)
    .type("application/json")
    .send(JSON.stringify({ status: "error", errorType, error: message }));
}

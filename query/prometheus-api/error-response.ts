import type { FastifyReply } from "fastify";
import type { Failure } from "../http/failure.ts";
import { sendJson } from "../http/query-api.ts";

/** Prometheus' `errorType` for each of our errors (web/api/v1/api.go); Grafana shows it. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  InvalidInputError: "bad_data",
  ParseError: "bad_data",
  TooLargeError: "bad_data",
  UnsupportedMediaTypeError: "bad_data",
  UnauthenticatedError: "unauthorized",
  ForbiddenError: "forbidden",
  NotFoundError: "not_found",
  LimitError: "execution",
  TimeoutError: "timeout",
  CancelledError: "canceled",
  TooManyRequestsError: "unavailable",
  UnavailableError: "unavailable",
};

export function sendPrometheusFailure(reply: FastifyReply, { error, status, message }: Failure): FastifyReply {
  const errorType = status === 500 ? "internal" : (ERROR_TYPES[(error as Error).name] ?? "internal");
  return sendJson(reply, { status: "error", errorType, error: message });
}

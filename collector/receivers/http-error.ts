import { statusOf, TooManyRequestsError, UnavailableError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { ComeBackTimes } from "./come-back-times.ts";

/** What a receiver answers a failed request with. `code` is a google.rpc.Code. */
export type Failure = {
  readonly http: number;
  readonly code: number;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
};

const INVALID_ARGUMENT = 3;
/** Of all that are refused for the state of the server, whatever protocol they speak. */
const comeBackTimes = new ComeBackTimes();

/** From anything that was thrown while a request was handled, the web framework's own errors included. */
export function failureOf(error: unknown): Failure {
  const status = statusOf(error);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof TooManyRequestsError || error instanceof UnavailableError) {
    return { ...status, code: status.grpc, message, retryAfterMs: comeBackTimes.next(error.retryAfterMs) };
  }
  if (status.http !== 500) return { ...status, code: status.grpc, message };
  const framework = (error as { statusCode?: unknown }).statusCode;
  if (typeof framework === "number" && framework >= 400 && framework < 500) {
    return { http: framework, code: INVALID_ARGUMENT, message };
  }
  return { http: 500, code: status.grpc, message: "internal error: see the server's log" };
}

/** Sets status and Retry-After, and logs what is a bug. */
export function replyFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): Failure {
  const failure = failureOf(error);
  if (failure.http === 500) logger.error("request failed", { method: request.method, url: request.url, error });
  if (failure.retryAfterMs !== undefined) reply.header("retry-after", Math.ceil(failure.retryAfterMs / 1_000));
  reply.code(failure.http);
  return failure;
}

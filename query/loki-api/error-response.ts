import { CancelledError, TimeoutError } from "@sightline/model/errors.ts";
import type { FastifyReply } from "fastify";
import type { Failure } from "../http/failure.ts";

/** Plain text, with the statuses and words of Loki's pkg/util/server/error.go. */
export function sendLokiFailure(reply: FastifyReply, failure: Failure): FastifyReply {
  const { status, message } = inLokiWords(failure);
  return reply
    .code(status)
    .header("content-type", "text/plain; charset=utf-8")
    .header("x-content-type-options", "nosniff")
    .send(message);
}

function inLokiWords({ error, status, message }: Failure): { status: number; message: string } {
  if (error instanceof CancelledError) return { status: 499, message: "the request was cancelled by the client" };
  if (error instanceof TimeoutError) {
    return {
      status: 504,
      message:
        "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over regex match) to reduce the amount of data processed",
    };
  }
  // A limit is the query's fault, and Loki has no 422.
  return { status: status === 422 ? 400 : status, message };
}

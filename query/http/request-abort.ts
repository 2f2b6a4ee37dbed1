import { CancelledError, TimeoutError } from "@sightline/model/errors.ts";
import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * For one request: aborts with a {@link CancelledError} when the client goes away before the whole answer is written, and
 * with a {@link TimeoutError} after `timeoutMs`. Others may abort it, too.
 */
export function requestAbort(request: FastifyRequest, reply: FastifyReply, timeoutMs: number): AbortController {
  const controller = new AbortController();
  const response = reply.raw;
  const timer = setTimeout(() => {
    controller.abort(
      new TimeoutError(`the query took longer than ${timeoutMs} ms (query.timeout_ms, or the timeout of the request)`),
    );
  }, timeoutMs);
  timer.unref();
  const onClose = () => {
    clearTimeout(timer);
    if (!response.writableFinished) controller.abort(new CancelledError("the client closed the connection"));
  };
  if (request.raw.socket?.destroyed) onClose();
  else response.once("close", onClose);
  return controller;
}

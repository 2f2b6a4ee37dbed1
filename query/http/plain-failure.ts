import type { FastifyReply } from "fastify";
import type { Failure } from "./failure.ts";

/** Errors as plain text, as Go's http.Error writes them. */
export function sendPlainFailure(reply: FastifyReply, { message }: Failure): FastifyReply {
  return reply.type("text/plain; charset=utf-8").send(`${message}\n`);
}

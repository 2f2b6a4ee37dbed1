import type { FastifyReply } from "fastify";

/** Of everything that Loki answers in JSON, but for what it tells of itself. */
export const LOKI_JSON = "application/json; charset=UTF-8";

export function sendLokiJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.header("content-type", LOKI_JSON).send(Buffer.from(`${JSON.stringify(value)}\n`));
}

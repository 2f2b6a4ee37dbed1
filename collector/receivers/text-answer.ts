import type { Rejection } from "@sightline/model/ports.ts";
import type { FastifyReply } from "fastify";

/** As receivers answer whose clients read no JSON. */
export function sendText(reply: FastifyReply, message: string): FastifyReply {
  return reply.type("text/plain; charset=utf-8").send(`${message}\n`);
}

/** How many rows were refused, and why, in one line. */
export function describeRejections(rejected: readonly Rejection[]): string {
  return rejected.map(({ reason, count, message }) => `${count} refused (${reason}): ${message}`).join("; ");
}

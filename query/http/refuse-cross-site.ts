import { ForbiddenError } from "@sightline/model/errors.ts";
import type { FastifyRequest } from "fastify";

/**
 * Throws `ForbiddenError` when a page of another site makes a browser send this: without authentication the server trusts
 * everybody on its machine, and browsers let any page post forms to it. Other clients send neither header.
 */
export function refuseCrossSite({ headers }: Pick<FastifyRequest, "headers">): void {
  const site = headers["sec-fetch-site"];
  const isOwn = site === undefined ? isOwnOrigin(headers) : site === "same-origin" || site === "none";
  if (!isOwn) throw new ForbiddenError("pages of other sites must not use the admin API");
}

function isOwnOrigin({ origin, host }: FastifyRequest["headers"]): boolean {
  if (origin === undefined) return true;
  return URL.parse(origin)?.host === host;
}

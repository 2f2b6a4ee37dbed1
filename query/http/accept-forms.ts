import { TooLargeError } from "@sightline/model/errors.ts";
import type { FastifyInstance } from "fastify";

const FORM = "application/x-www-form-urlencoded";

/**
 * Reads form bodies into `URLSearchParams` within `scope` (an encapsulated plugin, so that nobody else's routes see
 * this parser). Other content types are let through unread: clients send them along with an empty body.
 */
export function acceptForms(scope: FastifyInstance, maxFormBytes: number): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(FORM, { parseAs: "string", bodyLimit: maxFormBytes }, (_request, body, done) => {
    done(null, new URLSearchParams(body as string));
  });
  scope.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
}

/** Fastify's own refusals of a body, in our terms; anything else is given back as it is. */
export function bodyError(error: unknown): unknown {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") {
    return new TooLargeError("the form is larger than query.max_form_bytes allows", { cause: error });
  }
  return error;
}

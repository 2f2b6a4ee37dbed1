import type { FastifyInstance } from "fastify";

const FORM = "application/x-www-form-urlencoded";

/**
 * Reads form bodies into `URLSearchParams` within `scope` (an encapsulated plugin, so that nobody else's routes see
 * this parser). Other content types are let through unread: clients send them along with an empty body.
 */
export function acceptForms(scope: FastifyInstance, maxFormBytes: number): void {
  scope.removeAllContentTypeParsers();
  scope.addHook("onRequest", (request, _reply, done) => {
    const type = request.headers["content-type"];
    // Fastify refuses what is no type at all; Go's forms take it for one that is not theirs.
    if (type !== undefined && !/^[^\s/;]+\/[^\s;]+/.test(type))
      request.headers["content-type"] = "application/octet-stream";
    done();
  });
  scope.addContentTypeParser(FORM, { parseAs: "string", bodyLimit: maxFormBytes }, (_request, body, done) => {
    done(null, new URLSearchParams(body as string));
  });
  scope.addContentTypeParser("*", (_request, payload, done) => {
    payload.resume();
    done(null, undefined);
  });
}

/** Reads bodies of whatever type as they are. */
export function acceptRawBodies(scope: FastifyInstance, maxBytes: number): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxBytes }, (_request, body, done) =>
    done(null, body),
  );
}

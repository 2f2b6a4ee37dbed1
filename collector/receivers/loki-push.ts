import type { Principal } from "@sightline/model/access.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { ContentEncoding } from "@sightline/proto/wire-request.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { parseContentType } from "./content-type.ts";
import { replyFailure } from "./http-error.ts";
import { postOnly } from "./post-only.ts";
import type { ReceiverDeps } from "./receiver-deps.ts";
import { receiveBodies, takeBody } from "./request-body.ts";
import { describeRejections, sendText } from "./text-answer.ts";

/** Loki's path, and the one it had first. */
const PATHS = ["/loki/api/v1/push", "/api/prom/push"] as const;

type PushFormat = { readonly protocol: "loki-push-protobuf" | "loki-push-json"; readonly encoding: ContentEncoding };
const JSON_ENCODINGS: ReadonlyMap<string, ContentEncoding> = new Map([
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["deflate", "deflate"],
  ["zstd", "zstd"],
  // Of protobuf it says what is so anyway; in Loki it says nothing of JSON.
  ["snappy", "identity"],
]);

/**
 * Loki's push API (pkg/loghttp/push/push.go): protobuf compressed with snappy, or JSON. 204 when all was taken; errors are
 * plain text. Records that are refused one by one make it 400, while the others are kept, as in Loki.
 */
export function registerLokiPush(app: FastifyInstance, deps: ReceiverDeps): void {
  app.register(async (scope) => registerScope(scope, deps));
}

function registerScope(scope: FastifyInstance, { ingest, authenticator, config, logger }: ReceiverDeps): void {
  const principals = new WeakMap<FastifyRequest, Principal>();
  receiveBodies(scope, config.limits, ingest.budget);
  scope.setErrorHandler((error, request, reply) => {
    const { message } = replyFailure(error, request, reply, logger);
    sendText(reply, message);
  });
  for (const url of PATHS) {
    postOnly(scope, {
      url,
      check: (request) => {
        ingest.budget.reserve(0);
        principals.set(request, authenticator.authenticate(request.headers, "ingest", { peer: request.ip }));
        formatOf(request);
      },
      handler: async (request, reply) => {
        const { rejected } = await ingest.submit({
          tenant: (principals.get(request) as Principal).tenant,
          ...formatOf(request),
          receivedAtMs: Date.now(),
          body: takeBody(request),
        });
        if (rejected.some(({ count }) => count > 0)) return sendText(reply.code(400), describeRejections(rejected));
        return reply.code(204).send();
      },
      refuse: sendText,
    });
  }
}

/** Whatever does not say that it is JSON is protobuf with snappy, as in Loki. Throws `InvalidInputError`. */
function formatOf(request: FastifyRequest): PushFormat {
  const { mediaType } = parseContentType(request.headers["content-type"]);
  const header = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  const encoding = JSON_ENCODINGS.get(header);
  if (encoding === undefined) throw new InvalidInputError(`Content-Encoding ${JSON.stringify(header)} not supported`);
  if (mediaType === "application/json") return { protocol: "loki-push-json", encoding };
  if (encoding === "identity") return { protocol: "loki-push-protobuf", encoding: "snappy" };
  throw new InvalidInputError(
    `Content-Encoding ${JSON.stringify(header)} is not taken with protobuf: compress it with snappy`,
  );
}

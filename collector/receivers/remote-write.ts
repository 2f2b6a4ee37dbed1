import type { Principal } from "@sightline/model/access.ts";
import { RateLimitedError, UnsupportedMediaTypeError } from "@sightline/model/errors.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { NOTHING_WRITTEN, type WrittenCounts } from "../ingest-result.ts";
import { parseContentType } from "./content-type.ts";
import { replyFailure } from "./http-error.ts";
import { postOnly } from "./post-only.ts";
import type { ReceiverDeps } from "./receiver-deps.ts";
import { receiveBodies, takeBody } from "./request-body.ts";
import { describeRejections, sendText } from "./text-answer.ts";

/** Prometheus' path, and Mimir's and Cortex's. */
const PATHS = ["/api/v1/write", "/api/v1/push"] as const;

type Version = "remote-write-1" | "remote-write-2";
const MEDIA_TYPE = "application/x-protobuf";
const PROTO_1 = "prometheus.WriteRequest";
const PROTO_2 = "io.prometheus.write.v2.Request";
const VERSIONS: ReadonlyMap<string, Version> = new Map([
  [PROTO_1, "remote-write-1"],
  [PROTO_2, "remote-write-2"],
]);

/**
 * Prometheus remote write 1.0 and 2.0 by content negotiation, with the answers of Prometheus' own receiver
 * (storage/remote/write_handler.go): 204, or 400 with the first reasons when rows were refused while the others are kept.
 */
export function registerRemoteWrite(app: FastifyInstance, deps: ReceiverDeps): void {
  if (!deps.config.remote_write.enabled) return;
  app.register(async (scope) => registerScope(scope, deps));
}

function registerScope(scope: FastifyInstance, { ingest, authenticator, config, logger }: ReceiverDeps): void {
  const principals = new WeakMap<FastifyRequest, Principal>();
  receiveBodies(scope, config.limits, ingest.budget);
  scope.setErrorHandler((error, request, reply) => {
    const { http, message } = replyFailure(error, request, reply, logger);
    // Prometheus drops what is answered with 429 unless retry_on_http_429 is set. Being busy must not lose data; what a
    // tenant sends above its rate is the tenant's own.
    if (http === 429 && !(error instanceof RateLimitedError)) reply.code(503);
    if (versionOf(request) === "remote-write-2") setWritten(reply, NOTHING_WRITTEN);
    sendText(reply, message);
  });
  for (const url of PATHS) {
    postOnly(scope, {
      url,
      check: (request) => {
        ingest.budget.reserve(0);
        principals.set(request, authenticator.authenticate(request.headers, "ingest", { peer: request.ip }));
        requireVersion(request);
        requireSnappy(request);
      },
      handler: async (request, reply) => {
        const version = requireVersion(request);
        const { rejected, counts } = await ingest.submit({
          tenant: (principals.get(request) as Principal).tenant,
          protocol: version,
          encoding: "snappy",
          receivedAtMs: Date.now(),
          body: takeBody(request),
        });
        if (version === "remote-write-2") setWritten(reply, counts);
        if (rejected.some(({ count }) => count > 0)) return sendText(reply.code(400), describeRejections(rejected));
        return reply.code(204).send();
      },
      refuse: sendText,
    });
  }
}

function versionOf(request: FastifyRequest): Version | undefined {
  const { mediaType, parameters } = parseContentType(request.headers["content-type"]);
  // Without a content type Prometheus assumes 1.0, too, so as not to break old senders.
  if (mediaType !== MEDIA_TYPE && mediaType !== "") return undefined;
  return VERSIONS.get(parameters.get("proto") ?? PROTO_1);
}

function requireVersion(request: FastifyRequest): Version {
  const version = versionOf(request);
  if (version) return version;
  throw new UnsupportedMediaTypeError(
    `content type ${JSON.stringify(request.headers["content-type"])} is not taken: ` +
      `use ${MEDIA_TYPE};proto=${PROTO_1} or ${MEDIA_TYPE};proto=${PROTO_2}`,
  );
}

function requireSnappy(request: FastifyRequest): void {
  const encoding = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "snappy") return;
  throw new UnsupportedMediaTypeError(`content encoding ${JSON.stringify(encoding)} is not taken: use snappy`);
}

function setWritten(reply: FastifyReply, { samples, histograms, exemplars }: WrittenCounts): void {
  reply.header("x-prometheus-remote-write-samples-written", samples);
  reply.header("x-prometheus-remote-write-histograms-written", histograms);
  reply.header("x-prometheus-remote-write-exemplars-written", exemplars);
}

import cors from "@fastify/cors";
import type { Principal } from "@sightline/model/access.ts";
import { UnsupportedMediaTypeError } from "@sightline/model/errors.ts";
import type { Signal } from "@sightline/model/ports.ts";
import { encodeExportResponse, encodeStatus, type OtlpEncoding } from "@sightline/proto/otlp/responses.ts";
import type { ContentEncoding } from "@sightline/proto/wire-request.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { CorsConfig } from "../config.ts";
import { parseContentType } from "./content-type.ts";
import { replyFailure } from "./http-error.ts";
import { postOnly } from "./post-only.ts";
import type { ReceiverDeps } from "./receiver-deps.ts";
import { receiveBodies, takeBody } from "./request-body.ts";

/** The specification's paths, Prometheus' one for metrics and Loki's one for logs. */
const PATHS: readonly { readonly prefix: string; readonly path: string; readonly signal: Signal }[] = [
  { prefix: "/v1", path: "/metrics", signal: "metrics" },
  { prefix: "/v1", path: "/logs", signal: "logs" },
  { prefix: "/v1", path: "/traces", signal: "traces" },
  { prefix: "/api/v1/otlp/v1", path: "/metrics", signal: "metrics" },
  { prefix: "/otlp/v1", path: "/logs", signal: "logs" },
];

const ENCODINGS: ReadonlyMap<string, OtlpEncoding> = new Map([
  ["application/x-protobuf", "protobuf"],
  ["application/protobuf", "protobuf"],
  ["application/json", "json"],
]);
const MEDIA_TYPES: Readonly<Record<OtlpEncoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};
const CONTENT_ENCODINGS: ReadonlyMap<string, ContentEncoding> = new Map([
  ["", "identity"],
  ["identity", "identity"],
  ["gzip", "gzip"],
  ["deflate", "deflate"],
  // The OpenTelemetry Collector's other name for it.
  ["zlib", "deflate"],
  ["zstd", "zstd"],
  ["snappy", "snappy"],
]);

/** OTLP/HTTP as the OpenTelemetry protocol specification has it, section "OTLP/HTTP". */
export function registerOtlpHttp(app: FastifyInstance, deps: ReceiverDeps): void {
  for (const prefix of new Set(PATHS.map((path) => path.prefix))) {
    // A scope of its own for each prefix keeps hooks, parsers and preflight answers away from other routes.
    app.register(
      async (scope) => {
        const { allowed_origins: origins } = deps.config.otlp.cors;
        if (origins.length > 0) await scope.register(cors, corsOptions(deps.config.otlp.cors));
        registerScope(scope, deps, prefix);
      },
      { prefix },
    );
  }
}

function registerScope(scope: FastifyInstance, deps: ReceiverDeps, prefix: string): void {
  const { ingest, authenticator, config, logger } = deps;
  const principals = new WeakMap<FastifyRequest, Principal>();
  receiveBodies(scope, config.limits, ingest.budget);
  scope.setErrorHandler((error, request, reply) => {
    const failure = replyFailure(error, request, reply, logger);
    const encoding = encodingOf(request) ?? "json";
    reply.type(MEDIA_TYPES[encoding]).send(Buffer.from(encodeStatus(failure, encoding)));
  });
  for (const { path, signal } of PATHS.filter((other) => other.prefix === prefix)) {
    postOnly(scope, {
      url: path,
      check: (request) => {
        ingest.budget.reserve(0);
        principals.set(request, authenticator.authenticate(request.headers, "ingest", { peer: request.ip }));
        requireEncoding(request);
        requireContentEncoding(request);
      },
      handler: async (request, reply) => {
        const encoding = requireEncoding(request);
        const result = await ingest.submit({
          tenant: (principals.get(request) as Principal).tenant,
          protocol: `otlp-${signal}-${encoding}`,
          encoding: requireContentEncoding(request),
          receivedAtMs: Date.now(),
          body: takeBody(request),
        });
        reply.type(MEDIA_TYPES[encoding]);
        return Buffer.from(encodeExportResponse(signal, result.rejected, encoding));
      },
      refuse: (reply, message) => {
        reply.type(MEDIA_TYPES.json).send(Buffer.from(encodeStatus({ code: UNIMPLEMENTED, message }, "json")));
      },
    });
  }
}

const UNIMPLEMENTED = 12;

function corsOptions(config: CorsConfig) {
  return {
    origin: config.allowed_origins.includes("*") ? "*" : config.allowed_origins,
    methods: ["POST"],
    allowedHeaders: config.allowed_headers.length > 0 ? ["content-type", ...config.allowed_headers] : null,
    maxAge: config.max_age_seconds,
  } as Parameters<typeof cors>[1];
}

function encodingOf(request: FastifyRequest): OtlpEncoding | undefined {
  return ENCODINGS.get(parseContentType(request.headers["content-type"]).mediaType);
}

function requireEncoding(request: FastifyRequest): OtlpEncoding {
  const encoding = encodingOf(request);
  if (encoding) return encoding;
  throw new UnsupportedMediaTypeError(
    `content type ${JSON.stringify(request.headers["content-type"] ?? "")} is not taken: ` +
      `use ${MEDIA_TYPES.protobuf} or ${MEDIA_TYPES.json}`,
  );
}

function requireContentEncoding(request: FastifyRequest): ContentEncoding {
  const header = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  const encoding = CONTENT_ENCODINGS.get(header);
  if (encoding) return encoding;
  throw new UnsupportedMediaTypeError(
    `content encoding ${JSON.stringify(header)} is not taken: use gzip, deflate, zstd, snappy or none`,
  );
}

import { InvalidInputError } from "@sightline/model/errors.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Failure } from "../http/failure.ts";
import { type QueryApiDeps, type QueryHandler, type QueryRoute, registerQueryApi } from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { findTrace } from "./find-trace.ts";
import { encodeResourceSpansJson } from "./otlp-json.ts";
import { encodeTrace, encodeTraceByIdResponse } from "./otlp-protobuf.ts";
import { type ResourceSpans, traceTree } from "./trace-tree.ts";

export type TempoApiDeps = QueryApiDeps & { readonly store: Pick<TraceStore, "trace"> };

const PROTOBUF = "application/protobuf";

/**
 * Tempo's query API, below `/tempo` and at the root for those who give Grafana a base URL without a path. At the root
 * `/api/traces/{id}` is Tempo's, not Jaeger's of the same path: Jaeger's API is below `/jaeger` only.
 */
export function registerTempoApi(app: FastifyInstance, deps: TempoApiDeps): void {
  registerQueryApi(
    app,
    deps,
    sendTempoFailure,
    ["/tempo", ""].flatMap((base) => routes(base, deps)),
  );
}

function routes(base: string, deps: TempoApiDeps): QueryRoute[] {
  const methods = ["GET"] as const;
  return [
    { methods, url: `${base}/api/echo`, handler: async ({ reply }) => reply.type("text/plain").send("echo\n") },
    { methods, url: `${base}/api/v2/traces/:id`, gated: true, handler: traceHandler(deps, V2) },
    { methods, url: `${base}/api/traces/:id`, gated: true, handler: traceHandler(deps, V1) },
  ];
}

type TraceFormat = {
  readonly protobuf: (trace: Buffer) => Buffer;
  readonly json: (resources: readonly ResourceSpans[]) => Generator<string>;
};
const V1: TraceFormat = {
  protobuf: (trace) => trace,
  // The name that Tempo's first API had for them before OTLP settled on its own.
  *json(resources) {
    yield '{"batches":';
    yield* encodeResourceSpansJson(resources);
    yield "}";
  },
};
const V2: TraceFormat = {
  protobuf: encodeTraceByIdResponse,
  *json(resources) {
    yield '{"trace":{"resourceSpans":';
    yield* encodeResourceSpansJson(resources);
    yield "}}";
  },
};

function traceHandler({ store, config }: TempoApiDeps, format: TraceFormat): QueryHandler {
  return async (call) => {
    const traceId = parseTraceId(call.path.id ?? "");
    const resources = traceTree(await findTrace(store, traceId, config.traces.max_spans, call));
    if (!String(call.request.headers.accept ?? "").includes(PROTOBUF)) {
      return sendChunks(call.request, call.reply, "application/json", format.json(resources));
    }
    return call.reply.type(PROTOBUF).send(format.protobuf(await encodeTrace(resources)));
  };
}

/** 32 hex digits; shorter ids get zeros in front. Throws `InvalidInputError` in Tempo's words (pkg/util/traceid.go). */
export function parseTraceId(text: string): string {
  const strange = /[^0-9a-fA-F]/.exec(text);
  if (strange) {
    throw new InvalidInputError(
      `trace IDs can only contain hex characters: invalid character '${strange[0]}' at position ${strange.index + 1}`,
    );
  }
  if (text.length > 32) throw new InvalidInputError("trace IDs can't be larger than 128 bits");
  return text.toLowerCase().padStart(32, "0");
}

function sendTempoFailure(reply: FastifyReply, { message }: Failure): FastifyReply {
  return reply.type("text/plain; charset=utf-8").send(message);
}

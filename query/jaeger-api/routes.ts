import { InvalidInputError } from "@sightline/model/errors.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { Failure } from "../http/failure.ts";
import {
  type QueryApiDeps,
  type QueryCall,
  type QueryHandler,
  type QueryRoute,
  registerQueryApi,
} from "../http/query-api.ts";
import { sendChunks } from "../http/send-chunks.ts";
import { findTrace } from "../tempo-api/find-trace.ts";
import { parseTraceId } from "../tempo-api/routes.ts";
import { encodeJaegerTrace } from "./jaeger-trace.ts";

export type JaegerApiDeps = QueryApiDeps & { readonly store: TraceReader };
type TraceReader = Pick<TraceStore, "trace" | "services" | "operations">;

/** By number; Jaeger writes an unspecified one as nothing (internal/jptrace/spankind.go). */
const SPAN_KINDS = ["", "internal", "server", "client", "producer", "consumer"];

/** The HTTP API of Jaeger's UI, below `/jaeger/api`. */
export function registerJaegerApi(app: FastifyInstance, deps: JaegerApiDeps): void {
  registerQueryApi(app, deps, sendJaegerFailure, routes(deps));
}

function routes(deps: JaegerApiDeps): QueryRoute[] {
  const methods = ["GET"] as const;
  return [
    { methods, url: "/jaeger/api/services", gated: true, handler: servicesHandler(deps) },
    { methods, url: "/jaeger/api/services/:service/operations", gated: true, handler: operationNamesHandler(deps) },
    { methods, url: "/jaeger/api/operations", gated: true, handler: operationsHandler(deps) },
    { methods, url: "/jaeger/api/traces/:id", gated: true, handler: traceHandler(deps) },
    // Links between services are not derived yet; an empty list is what Jaeger gives without its Spark job.
    { methods, url: "/jaeger/api/dependencies", handler: async (call) => sendData(call, []) },
  ];
}

function servicesHandler({ store }: JaegerApiDeps): QueryHandler {
  return async (call) => sendData(call, await store.services(call.tenant, call.signal));
}

/** Names only: the API before span kinds. */
function operationNamesHandler({ store }: JaegerApiDeps): QueryHandler {
  return async (call) => {
    const operations = await store.operations(call.tenant, call.path.service ?? "", call.signal);
    return sendData(call, [...new Set(operations.map(({ name }) => name))]);
  };
}

function operationsHandler({ store }: JaegerApiDeps): QueryHandler {
  return async (call) => {
    const service = call.parameters.get("service");
    if (service === "") throw new InvalidInputError("parameter 'service' is required");
    const wantedKind = call.parameters.get("spanKind");
    const operations = (await store.operations(call.tenant, service, call.signal))
      .map(({ name, kind }) => ({ name, spanKind: SPAN_KINDS[kind] ?? "" }))
      .filter(({ spanKind }) => wantedKind === "" || spanKind === wantedKind);
    return sendData(call, operations);
  };
}

function traceHandler({ store, config }: JaegerApiDeps): QueryHandler {
  return async (call) => {
    const traceId = parseTraceId(call.path.id ?? "");
    const batches = await findTrace(store, traceId, config.traces.max_spans, call);
    return sendChunks(call.request, call.reply, "application/json", encodeAnswer(traceId, batches));
  };
}

function* encodeAnswer(traceId: string, batches: Parameters<typeof encodeJaegerTrace>[1]): Generator<string> {
  yield '{"data":[';
  yield* encodeJaegerTrace(traceId, batches);
  yield '],"total":0,"limit":0,"offset":0,"errors":null}';
}

function sendData({ reply }: QueryCall, data: readonly unknown[]): FastifyReply {
  const answer = { data, total: data.length, limit: 0, offset: 0, errors: null };
  return reply.type("application/json").send(JSON.stringify(answer));
}

function sendJaegerFailure(reply: FastifyReply, { status, message }: Failure): FastifyReply {
  const errors = [{ code: status, msg: message }];
  return reply.type("application/json").send(JSON.stringify({ data: null, total: 0, limit: 0, offset: 0, errors }));
}

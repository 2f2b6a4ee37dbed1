import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type SpanRow, spanBatchOf } from "@sightline/storage-conformance/span-batch-of.ts";
import { embeddedTracesConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedTraceStore } from "@sightline/storage-embedded/traces/embedded-trace-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { TEST_DEPS } from "../http/test-app.ts";
import { registerJaegerApi } from "../jaeger-api/routes.ts";
import { registerTempoApi } from "./routes.ts";

export const NOW_NS = 1_700_000_000_000_000_000n;
export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
export const SHORT_TRACE_ID = "0000000000000000000000000000abcd";

const text = (name: string, value: string) => ({ name, type: "string" as const, value });
const frontend = [text("service.name", "frontend"), text("host.name", "h1")];

/** A trace of three spans over two services with one of everything, one with a short id, one of an unspecified kind. */
export const SPANS: readonly SpanRow[] = [
  {
    traceId: TRACE_ID,
    spanId: "00000000000000a1",
    traceState: "vendor=1",
    flags: 257,
    name: "GET /cart",
    kind: 2,
    startNs: NOW_NS + 1_234n,
    durationNs: 5_000_999n,
    statusCode: 2,
    statusMessage: "boom",
    resource: frontend,
    resourceSchemaUrl: "https://schema/resource",
    scope: { name: "http", version: "1.2", attributes: [text("scope.kind", "x")], schemaUrl: "https://schema/scope" },
    attributes: [
      text("http.route", "/cart"),
      { name: "http.status", type: "int", value: "500" },
      { name: "big", type: "int", value: "9223372036854775807" },
      { name: "negative", type: "int", value: "-5" },
      { name: "ratio", type: "double", value: "0.25" },
      { name: "nan", type: "double", value: "NaN" },
      { name: "retry", type: "bool", value: "false" },
      { name: "raw", type: "bytes", value: "AQID" },
      { name: "list", type: "json", value: '["a",1,1.5,true,{"k":[null]},12345678901234567]' },
    ],
    events: [
      {
        timeNs: NOW_NS + 2_000n,
        name: "exception",
        attributes: [text("exception.type", "Oops")],
        droppedAttributes: 4,
      },
    ],
    dropped: { attributes: 1, events: 2, links: 3 },
    links: [
      {
        traceId: TRACE_ID,
        spanId: "00000000000000ff",
        traceState: "t=2",
        attributes: [],
        flags: 769,
        droppedAttributes: 5,
      },
      {
        traceId: SHORT_TRACE_ID,
        spanId: "00000000000000fe",
        traceState: "",
        attributes: [text("opentracing.ref_type", "child_of")],
      },
    ],
  },
  {
    traceId: TRACE_ID,
    spanId: "00000000000000a2",
    parentSpanId: "00000000000000a1",
    name: "render",
    kind: 1,
    startNs: NOW_NS + 2_000n,
    durationNs: 1_000n,
    statusCode: 1,
    resource: frontend,
    resourceSchemaUrl: "https://schema/resource",
    scope: { name: "http", version: "1.2", attributes: [text("scope.kind", "x")], schemaUrl: "https://schema/scope" },
  },
  {
    traceId: TRACE_ID,
    spanId: "00000000000000b1",
    parentSpanId: "00000000000000a1",
    name: "db",
    kind: 3,
    startNs: NOW_NS + 3_000n,
    resource: [text("service.name", "cart")],
  },
  { traceId: SHORT_TRACE_ID, spanId: "00000000000000c1", name: "lone", startNs: NOW_NS },
  {
    traceId: "000000000000000000000000000000ff",
    spanId: "00000000000000d1",
    name: "tick",
    startNs: NOW_NS,
    resource: [text("service.name", "clock")],
  },
];

/** Tempo's and Jaeger's APIs over an embedded store that holds {@link SPANS}. `close` removes its files, too. */
export async function traceApp(config = TEST_DEPS.config): Promise<FastifyInstance> {
  const dir = await mkdtemp(join(tmpdir(), "sightline-trace-api-"));
  const store = new EmbeddedTraceStore({
    dir,
    config: embeddedTracesConfig.parse({}),
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs: () => Number(NOW_NS / 1_000_000n),
  });
  await store.start();
  await store.append(DEFAULT_TENANT, spanBatchOf(SPANS), 1);
  const app = fastify();
  registerTempoApi(app, { ...TEST_DEPS, config, store });
  registerJaegerApi(app, { ...TEST_DEPS, config, store });
  app.addHook("onClose", async () => {
    await store.stop();
    await rm(dir, { recursive: true });
  });
  return app;
}

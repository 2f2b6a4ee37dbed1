import { Metadata } from "@grpc/grpc-js";
import { context, SeverityNumber, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPLogExporter as GrpcLogs } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as JsonLogs } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtoLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as GrpcMetrics } from "@opentelemetry/exporter-metrics-otlp-grpc";
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as JsonMetrics,
} from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcTraces } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { ServerProcess } from "./harness/server-process.ts";

const SPANS = 600;
const RECORDS = 700;
const REQUESTS = 25;

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(() => server.dispose());

type Transport = "protobuf" | "json" | "grpc";
type ExporterOptions = {
  readonly transport: Transport;
  readonly compression: "gzip" | "none";
  readonly tenant: string;
  readonly delta?: boolean;
  /** Send to the address that serves everything instead of the one for OTLP. */
  readonly mainAddress?: boolean;
};

/** The SDK's own exporters, as an application sets them up. */
function exporters({ transport, compression: algorithm, tenant, delta, mainAddress }: ExporterOptions) {
  const compression = algorithm as NonNullable<ConstructorParameters<typeof ProtoTraces>[0]>["compression"] & string;
  const temporalityPreference = delta
    ? AggregationTemporalityPreference.DELTA
    : AggregationTemporalityPreference.CUMULATIVE;
  if (transport === "grpc") {
    const metadata = new Metadata();
    metadata.set("x-scope-orgid", tenant);
    const options = { url: `http://${server.otlpGrpc}`, metadata, compression };
    return {
      traces: new GrpcTraces(options),
      logs: new GrpcLogs(options),
      metrics: new GrpcMetrics({ ...options, temporalityPreference }),
    };
  }
  const headers = { "x-scope-orgid": tenant };
  const base = mainAddress ? server.url : server.otlpHttp;
  const options = (signal: string) => ({ url: `${base}/v1/${signal}`, headers, compression });
  const metricOptions = { ...options("metrics"), temporalityPreference };
  return transport === "json"
    ? {
        traces: new JsonTraces(options("traces")),
        logs: new JsonLogs(options("logs")),
        metrics: new JsonMetrics(metricOptions),
      }
    : {
        traces: new ProtoTraces(options("traces")),
        logs: new ProtoLogs(options("logs")),
        metrics: new ProtoMetrics(metricOptions),
      };
}

const resource = resourceFromAttributes({
  "service.name": "shop",
  "service.namespace": "e2e",
  "service.instance.id": "pod-1",
  "k8s.namespace.name": "production",
  "process.command_args": ["node", "shop.js"],
});

describe.each<[string, Omit<ExporterOptions, "tenant">]>([
  ["protobuf", { transport: "protobuf", compression: "none" }],
  ["protobuf with gzip", { transport: "protobuf", compression: "gzip" }],
  ["JSON", { transport: "json", compression: "none" }],
  ["JSON with gzip to the main address", { transport: "json", compression: "gzip", mainAddress: true }],
  ["gRPC", { transport: "grpc", compression: "none" }],
  ["gRPC with gzip", { transport: "grpc", compression: "gzip" }],
])("the SDK's exporters over %s", (name, options) => {
  const tenant = name.replaceAll(" ", "-");

  test("every span arrives, with parents, events, links, status and attributes", async () => {
    const processor = new BatchSpanProcessor({
      exporter: exporters({ ...options, tenant }).traces,
      maxQueueSize: SPANS + 1,
      maxExportBatchSize: 128,
    });
    const provider = new TracerProvider({ resource, spanProcessors: [processor] });
    const tracer = provider.getTracer("e2e", "1.2.3");
    const root = tracer.startSpan("checkout", { kind: SpanKind.SERVER });
    const parent = trace.setSpan(context.active(), root);
    for (let i = 1; i < SPANS; i++) {
      const attributes = { i, even: i % 2 === 0, share: i / 3, "http.route": "/cart/{id}", tags: ["a", "b"] };
      const links = i === 1 ? [{ context: root.spanContext(), attributes: { why: "test" } }] : [];
      const span = tracer.startSpan(`step ${i % 10}`, { attributes, links }, parent);
      if (i === 2) span.addEvent("cache miss", { key: "user:1" });
      if (i === 3) span.setStatus({ code: SpanStatusCode.ERROR, message: "it broke" });
      span.end();
    }
    root.end();
    await provider.forceFlush();
    await provider.shutdown();

    const ask = new Ask(server.url, tenant);
    const { traceId, spanId } = root.spanContext();
    const found = await ask.trace(traceId);
    expect(found?.spans).toHaveLength(SPANS);
    expect(new Set(found?.spans.map(({ spanID }) => spanID)).size).toBe(SPANS);
    expect(await ask.tempoSpanCount(traceId)).toBe(SPANS);
    expect(found?.spans.filter(({ references }) => references.some((ref) => ref.spanID === spanId)).length).toBe(
      SPANS - 1,
    );
    expect(Object.values(found?.processes ?? {}).map(({ serviceName }) => serviceName)).toContain("shop");
    expect(await ask.services()).toEqual(["shop"]);
    const text = JSON.stringify(found);
    for (const part of ["cache miss", "user:1", "it broke", "/cart/{id}", "checkout"]) expect(text).toContain(part);
  });

  test("every log record arrives, findable by stream, line and time", async () => {
    const processor = new BatchLogRecordProcessor({
      exporter: exporters({ ...options, tenant }).logs,
      maxQueueSize: RECORDS,
      maxExportBatchSize: 200,
    });
    const provider = new LoggerProvider({ resource, processors: [processor] });
    const logger = provider.getLogger("e2e");
    const began = BigInt(Date.now()) * 1_000_000n;
    for (let i = 0; i < RECORDS; i++) {
      logger.emit({
        body: i % 7 === 0 ? { message: `record ${i}`, i } : `record ${i}`,
        severityNumber: i % 100 === 0 ? SeverityNumber.ERROR : SeverityNumber.INFO,
        attributes: { "user.id": `u-${i}`, retry: i % 2 === 0 },
      });
    }
    await provider.forceFlush();
    await provider.shutdown();

    const ask = new Ask(server.url, tenant);
    const [from, to] = [began - 1_000_000_000n, began + 120_000_000_000n];
    const all = await ask.logs('{service_name="shop"}', from, to);
    expect(all).toHaveLength(RECORDS);
    const plain = all.filter(({ line }) => /^record \d+$/.test(line));
    expect(new Set(plain.map(({ line }) => line)).size).toBe(RECORDS - Math.ceil(RECORDS / 7));
    const filtered = await ask.logs('{service_name="shop"} |= "record 69" != "record 690"', from, to);
    expect(filtered).toHaveLength(10);
    expect(
      await ask.logs('{k8s_namespace_name="production", service_name=~"sh.p"} |~ "record 12[0-9]$"', from, to),
    ).toHaveLength([120, 121, 122, 123, 124, 125, 126, 127, 128, 129].filter((i) => i % 7 !== 0).length);
    expect(await ask.logs('{service_name="other"}', from, to)).toEqual([]);
  });

  test("every kind of metric arrives with the values that were recorded", async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: exporters({ ...options, tenant }).metrics,
      exportIntervalMillis: 600_000,
    });
    const views = [
      { instrumentName: "e2e.size", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const },
    ];
    const provider = new MeterProvider({ resource, readers: [reader], views });
    const meter = provider.getMeter("e2e");
    const requests = meter.createCounter("e2e.requests", { unit: "{request}" });
    const open = meter.createUpDownCounter("e2e.open");
    const duration = meter.createHistogram("e2e.duration", {
      unit: "s",
      advice: { explicitBucketBoundaries: [0.1, 1, 10] },
    });
    const size = meter.createHistogram("e2e.size", { unit: "By" });
    meter.createObservableGauge("e2e.memory", { unit: "By" }).addCallback((result) => result.observe(123_456_789));
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < REQUESTS; i++) {
        requests.add(2, { route: "/a" });
        requests.add(1, { route: "/b" });
        duration.record([0.05, 0.5, 5, 50][i % 4] as number);
        size.record(2 ** (i % 5));
      }
      open.add(round === 0 ? 5 : -7);
      await provider.forceFlush();
    }
    await provider.shutdown();

    const ask = new Ask(server.url, tenant);
    expect(await ask.number('sum({"e2e_requests_total", job="e2e/shop", instance="pod-1"})')).toBe(2 * REQUESTS * 3);
    expect(await ask.number('{"e2e_requests_total", route="/a"}')).toBe(2 * REQUESTS * 2);
    // Two flushes, and one more export at shutdown.
    expect(await ask.number('count_over_time({"e2e_requests_total", route="/a"}[10m])')).toBe(3);
    expect(await ask.number('{"e2e_open"}')).toBe(-2);
    expect(await ask.number('{"e2e_memory_bytes"}')).toBe(123_456_789);
    expect(await ask.number('{"e2e_duration_seconds_count"}')).toBe(2 * REQUESTS);
    expect(await ask.number('{"e2e_duration_seconds_bucket", le="1"}')).toBe(26);
    expect(await ask.number('{"e2e_duration_seconds_bucket", le="+Inf"}')).toBe(2 * REQUESTS);
    expect(await ask.number('histogram_count({"e2e_size_bytes"})')).toBe(2 * REQUESTS);
    expect(await ask.number('histogram_sum({"e2e_size_bytes"})')).toBe(2 * 5 * (1 + 2 + 4 + 8 + 16));
    const [info] = await ask.promql("target_info");
    expect(info?.metric).toMatchObject({ job: "e2e/shop", instance: "pod-1", k8s_namespace_name: "production" });
    expect((await ask.metadata("e2e_requests_total")).e2e_requests_total?.[0]?.type).toBe("counter");
  });
});

test("delta temporality is accepted, and the points add up", async () => {
  const tenant = "delta";
  const exporter = exporters({ transport: "protobuf", compression: "none", tenant, delta: true }).metrics;
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const counter = provider.getMeter("e2e").createCounter("e2e.requests");
  for (let round = 0; round < 3; round++) {
    counter.add(5);
    await provider.forceFlush();
  }
  await provider.shutdown();
  const ask = new Ask(server.url, tenant);
  expect(await ask.number('sum_over_time({"e2e_requests_total"}[10m])')).toBe(15);
});

/** Telemetry as the OpenTelemetry SDK makes it, for tests: what its serializers write is what unmodified apps send. */
import { ROOT_CONTEXT, SeverityNumber, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const RESOURCE = resourceFromAttributes({
  "service.name": "checkout",
  "k8s.pod.name": "checkout-1",
  "process.pid": 4711,
  "process.command_args": ["node", "main.js"],
});

export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
export const SPAN_ID = "b7ad6b7169203331";

function remoteParent() {
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true });
}

export async function sdkLogs() {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({ resource: RESOURCE, processors: [new SimpleLogRecordProcessor({ exporter })] });
  const logger = provider.getLogger("shop", "1.2.3", { schemaUrl: "https://opentelemetry.io/schemas/1.40.0" });
  logger.emit({
    timestamp: [1_790_000_000, 123_456_789],
    observedTimestamp: [1_790_000_001, 1],
    severityNumber: SeverityNumber.WARN2,
    severityText: "WARN",
    body: "Zahlung abgelehnt: zu wenig Guthaben — 余额不足",
    attributes: {
      "user.id": "u-1",
      attempt: 2,
      big: Number.MAX_SAFE_INTEGER,
      ratio: 0.25,
      retried: true,
      tags: ["a", "b"],
      nested: { list: [1, 2.5, null], deep: { yes: false } },
      raw: new Uint8Array([1, 2, 255]),
    },
    context: remoteParent(),
  });
  logger.emit({ timestamp: [1_790_000_000, 0], observedTimestamp: [1_790_000_000, 5], body: { order: 7, ok: true } });
  logger.emit({ timestamp: [1_790_000_002, 0], observedTimestamp: [1_790_000_002, 5], eventName: "order.placed" });
  await provider.forceFlush();
  return exporter.getFinishedLogRecords();
}

export async function sdkSpans() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ resource: RESOURCE, spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer("shop", "1.2.3");
  const root = tracer.startSpan(
    "POST /checkout",
    {
      kind: SpanKind.SERVER,
      startTime: [1_790_000_000, 1],
      attributes: { "http.route": "/checkout", "http.response.status_code": 500, sizes: [1, 2] },
      links: [{ context: { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 }, attributes: { why: "retry" } }],
    },
    remoteParent(),
  );
  root.addEvent("exception", { "exception.type": "TimeoutError", attempt: 3 }, [1_790_000_000, 500]);
  root.setStatus({ code: SpanStatusCode.ERROR, message: "timeout" });
  const child = tracer.startSpan(
    "charge",
    { kind: SpanKind.CLIENT, startTime: [1_790_000_000, 2] },
    trace.setSpan(ROOT_CONTEXT, root),
  );
  child.end([1_790_000_000, 1_000_002]);
  root.end([1_790_000_001, 0]);
  await provider.forceFlush();
  return exporter.getFinishedSpans();
}

export async function sdkMetrics(): Promise<ResourceMetrics> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({
    resource: RESOURCE,
    readers: [reader],
    views: [{ instrumentName: "payload", aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter("shop", "1.2.3");
  meter.createCounter("requests", { unit: "1", description: "Requests" }).add(3, { route: "/cart" });
  meter.createUpDownCounter("active").add(-2);
  meter.createGauge("temperature", { unit: "Cel" }).record(21.5, { room: "a" });
  const histogram = meter.createHistogram("duration", { unit: "s" });
  for (const value of [0.001, 0.2, 7, 20_000]) histogram.record(value, { route: "/cart" });
  const payload = meter.createHistogram("payload", { unit: "By" });
  for (const value of [0, 1, 100, 1e6]) payload.record(value);
  await provider.forceFlush();
  const metrics = exporter.getMetrics()[0] as ResourceMetrics;
  await provider.shutdown();
  return metrics;
}

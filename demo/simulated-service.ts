import {
  type Context,
  type Counter,
  type Histogram,
  type HrTime,
  type Logger,
  ROOT_CONTEXT,
  SeverityNumber,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, type LogRecordProcessor } from "@opentelemetry/sdk-logs";
import { AggregationType, MeterProvider, MetricReader, type ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { AlwaysOnSampler, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { type Exemplar, ExemplarReservoir } from "./exemplars.ts";
import type { PlannedSpan } from "./plan.ts";
import type { Random } from "./random.ts";
import { INSTRUMENTS, type InstrumentName, type ServiceName } from "./shop.ts";

const SCOPE = "shop-demo";
const VERSION = "1.0.0";
export const DURATION_METRIC = "http.server.request.duration";
/** As the semantic conventions advise for HTTP durations. */
const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const SEVERITIES = {
  DEBUG: SeverityNumber.DEBUG,
  INFO: SeverityNumber.INFO,
  WARN: SeverityNumber.WARN,
  ERROR: SeverityNumber.ERROR,
};

export type SimulatedServiceOptions = {
  readonly random: Random;
  readonly spanProcessor: SpanProcessor;
  readonly logProcessor: LogRecordProcessor;
};

/** Metrics as the SDK aggregated them since the start, and exemplars for {@link DURATION_METRIC}. */
export type CollectedMetrics = {
  readonly metrics: ResourceMetrics;
  readonly exemplars: ReadonlyMap<string, Exemplar>;
};

/** One service of the shop with providers of its own, as if it were a process of its own. */
export class SimulatedService {
  readonly #tracer: Tracer;
  readonly #logger: Logger;
  readonly #reader = new OnDemandReader();
  readonly #durations: Histogram;
  readonly #databaseDurations: Histogram;
  readonly #instruments = new Map<InstrumentName, Counter | Histogram>();
  readonly #exemplars = new ExemplarReservoir();
  readonly #random: Random;
  #busyness = 1;

  constructor(name: ServiceName, { random, spanProcessor, logProcessor }: SimulatedServiceOptions) {
    this.#random = random;
    const pod = `${name}-${random.hex(9)}`;
    const resource = defaultResource().merge(
      resourceFromAttributes({
        "service.name": name,
        "service.namespace": "shop",
        "service.version": "2.7.1",
        "service.instance.id": pod,
        "deployment.environment.name": "demo",
        "k8s.namespace.name": "shop",
        "k8s.pod.name": pod,
        "host.name": `node-${1 + random.below(3)}`,
        "cloud.region": "eu-central-1",
      }),
    );
    const tracers = new TracerProvider({
      resource,
      sampler: new AlwaysOnSampler(),
      spanProcessors: [spanProcessor],
      idGenerator: { generateTraceId: () => random.hex(32), generateSpanId: () => random.hex(16) },
    });
    this.#tracer = tracers.getTracer(SCOPE, VERSION);
    this.#logger = new LoggerProvider({ resource, processors: [logProcessor] }).getLogger(SCOPE, VERSION);
    const exponential = Object.entries(INSTRUMENTS).filter(([, { kind }]) => kind === "exponential");
    const meter = new MeterProvider({
      resource,
      readers: [this.#reader],
      views: exponential.map(([instrumentName]) => ({
        instrumentName,
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
      })),
    }).getMeter(SCOPE, VERSION);
    this.#durations = meter.createHistogram(DURATION_METRIC, {
      unit: "s",
      description: "Duration of HTTP server requests",
      advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
    });
    this.#databaseDurations = meter.createHistogram("db.client.operation.duration", {
      unit: "s",
      description: "Duration of database client operations",
      advice: { explicitBucketBoundaries: DURATION_BOUNDARIES },
    });
    for (const [instrument, { kind, unit, description }] of Object.entries(INSTRUMENTS)) {
      const options = { unit, description };
      this.#instruments.set(
        instrument as InstrumentName,
        kind === "counter" ? meter.createCounter(instrument, options) : meter.createHistogram(instrument, options),
      );
    }
    meter
      .createObservableGauge("process.cpu.utilization", { unit: "1", description: "Share of the CPU in use" })
      .addCallback((result) => result.observe(this.#utilization()));
    meter
      .createObservableUpDownCounter("process.memory.usage", { unit: "By", description: "Resident memory" })
      .addCallback((result) => result.observe(Math.round((150 + 60 * this.#utilization()) * 2 ** 20)));
  }

  #utilization(): number {
    return Math.min(1, (0.08 + 0.2 * this.#busyness) * (0.9 + 0.2 * this.#random.next()));
  }

  /** Makes the span and its logs, and returns the context that spans below it belong to. */
  record(planned: PlannedSpan, parent: Context): { readonly context: Context; readonly span: Span } {
    const span = this.#tracer.startSpan(
      planned.name,
      { kind: KINDS[planned.kind], startTime: hrTime(planned.startMs), attributes: planned.attributes },
      parent,
    );
    const context = trace.setSpan(ROOT_CONTEXT, span);
    for (const log of planned.logs) {
      this.#logger.emit({
        timestamp: hrTime(log.timeMs),
        observedTimestamp: hrTime(log.timeMs),
        severityNumber: SEVERITIES[log.level],
        severityText: log.level,
        body: log.body,
        attributes: log.attributes,
        context,
      });
    }
    if (planned.error !== "") {
      const isOwn = planned.kind === "server" || planned.kind === "consumer";
      if (isOwn) {
        span.addEvent(
          "exception",
          { "exception.type": "ServiceError", "exception.message": planned.error },
          hrTime(planned.endMs),
        );
      }
      span.setStatus({ code: SpanStatusCode.ERROR, message: planned.error });
    }
    span.end(hrTime(planned.endMs));
    return { context, span };
  }

  /** Counts the span's work in the metrics; `span` is there if it is traced, and becomes an exemplar. */
  measure(planned: PlannedSpan, span: Span | undefined): void {
    const seconds = (planned.endMs - planned.startMs) / 1_000;
    const { attributes } = planned;
    if (planned.kind === "server") {
      const point = {
        "http.request.method": attributes["http.request.method"] ?? "",
        "http.route": attributes["http.route"] ?? "",
        "http.response.status_code": attributes["http.response.status_code"] ?? 0,
      };
      this.#durations.record(seconds, point);
      if (span) this.#exemplars.offer(point, { value: seconds, timeMs: planned.endMs, context: span.spanContext() });
    } else if (attributes["db.system.name"] !== undefined) {
      this.#databaseDurations.record(seconds, {
        "db.system.name": attributes["db.system.name"],
        "db.operation.name": attributes["db.operation.name"] ?? "",
      });
    }
    for (const { instrument, value, attributes: point } of planned.measurements) {
      const target = this.#instruments.get(instrument) as Counter | Histogram;
      if ("add" in target) target.add(value, point);
      else target.record(value, point);
    }
  }

  /** What has been counted since the service began. The values of the points stay as they are now. */
  async collect(busyness: number): Promise<CollectedMetrics> {
    this.#busyness = busyness;
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw errors[0];
    return { metrics: structuredCloneOfPoints(resourceMetrics), exemplars: this.#exemplars.take() };
  }
}

/** A reader that collects when it is asked: the clock is the simulation's. */
class OnDemandReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** The SDK goes on counting in the objects it hands out. */
function structuredCloneOfPoints({ resource, scopeMetrics }: ResourceMetrics): ResourceMetrics {
  return {
    resource,
    scopeMetrics: scopeMetrics.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.map(
        (metric) => ({ ...metric, dataPoints: structuredClone(metric.dataPoints) }) as typeof metric,
      ),
    })),
  };
}

/** Seconds and nanoseconds of a time in fractional milliseconds. */
export function hrTime(timeMs: number): HrTime {
  const seconds = Math.floor(timeMs / 1_000);
  return [seconds, Math.round((timeMs - seconds * 1_000) * 1e6)];
}

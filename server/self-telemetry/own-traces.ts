import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Component } from "@sightline/model/ports.ts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { Counter, type Registry } from "prom-client";
import type { SelfResource, SubmitOwn } from "./submit.ts";

/** Paths that would drown the rest: what is received, and what probes ask. */
const UNTRACED = /^\/(?:v1\/|api\/v1\/(?:write|push|otlp)|otlp\/|-\/|ready|metrics)/;

/** Whoever waited so long may want to know why. */
const SLOW_MS = 100;
/** Quick requests that came when nobody else did for a while: so many in a row have a span each. */
const MAX_BURST = 100;

export type OwnTracesOptions = {
  readonly submit: SubmitOwn;
  readonly resource: SelfResource;
  readonly registry: Registry;
  /** Of requests that were quick, went well and belong to no caller's trace, so many a second have a span. */
  readonly quickPerSecond: number;
  /** {@link SLOW_MS} by default. */
  readonly slowMs?: number;
};

/**
 * Server spans of query requests, kept as tenant `system`: of all that were slow, failed or carry on a trace that their caller
 * records, and of some of the others. To make and to keep a span costs as much as to answer a short query, so it is made when
 * the answer has gone and it is known what the request was like.
 */
export class OwnTraces implements Component {
  readonly name = "own traces";
  readonly #provider: TracerProvider;
  readonly #quickPerSecond: number;
  readonly #slowMs: number;
  readonly #leftOut: Counter;
  /** At most {@link MAX_BURST} once it is looked at. */
  #quickLeft = Number.POSITIVE_INFINITY;
  #countedMs = performance.now();

  constructor(options: OwnTracesOptions) {
    const { version, instance } = options.resource;
    this.#quickPerSecond = options.quickPerSecond;
    this.#slowMs = options.slowMs ?? SLOW_MS;
    this.#leftOut = new Counter({
      name: "sightline_own_spans_left_out_total",
      help: "Quick requests without a span of the process' own, as there were more than self_telemetry.quick_spans_per_second.",
      registers: [options.registry],
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        "service.name": "sightline",
        "service.version": version,
        "service.instance.id": instance,
      }),
      spanProcessors: [new BatchSpanProcessor({ exporter: new OwnSpanExporter(options.submit) })],
    });
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.#provider.shutdown();
  }

  /** Call before the routes of `app` are registered. */
  trace(app: FastifyInstance): void {
    const tracer = this.#provider.getTracer("sightline/http");
    app.addHook("onResponse", (request, reply, done) => {
      done();
      if (UNTRACED.test(request.url)) return;
      const parent = parentOf(request);
      if (parent === undefined && !this.#isWorthwhile(reply)) return;
      const route = request.routeOptions.url ?? "unknown";
      const endMs = Date.now();
      const span = tracer.startSpan(
        `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          startTime: endMs - reply.elapsedTime,
          attributes: {
            "http.request.method": request.method,
            "http.route": route,
            "url.path": request.url.split("?")[0] as string,
            "http.response.status_code": reply.statusCode,
          },
        },
        parent ?? ROOT_CONTEXT,
      );
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endMs);
    });
  }

  #isWorthwhile({ statusCode, elapsedTime }: FastifyReply): boolean {
    if (statusCode >= 500 || elapsedTime >= this.#slowMs) return true;
    const now = performance.now();
    const earned = ((now - this.#countedMs) / 1_000) * this.#quickPerSecond;
    this.#quickLeft = Math.min(this.#quickLeft + earned, MAX_BURST);
    this.#countedMs = now;
    if (this.#quickLeft >= 1) {
      this.#quickLeft--;
      return true;
    }
    this.#leftOut.inc();
    return false;
  }
}

/** The context of a W3C `traceparent` header. */
function parentOf(request: FastifyRequest): Context | undefined {
  const header = request.headers.traceparent;
  const match = typeof header === "string" ? /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header) : null;
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Result codes of @opentelemetry/core's ExportResult. */
const SUCCESS = 0;
const FAILED = 1;

class OwnSpanExporter implements SpanExporter {
  readonly #submit: SubmitOwn;
  constructor(submit: SubmitOwn) {
    this.#submit = submit;
  }
  export(spans: ReadableSpan[], done: (result: { code: number; error?: Error }) => void): void {
    const body = ProtobufTraceSerializer.serializeRequest(spans);
    if (!body) {
      done({ code: FAILED });
      return;
    }
    this.#submit("otlp-traces-protobuf", body).then(
      () => done({ code: SUCCESS }),
      (error: unknown) => done({ code: FAILED, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  }
  async shutdown(): Promise<void> {}
  async forceFlush(): Promise<void> {}
}

import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Component } from "@sightline/model/ports.ts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { SelfResource, SubmitOwn } from "./submit.ts";

/** Paths that would drown the rest: what is received, and what probes ask. */
const UNTRACED = /^\/(?:v1\/|api\/v1\/(?:write|push|otlp)|otlp\/|-\/|ready|metrics)/;

/** A server span per query request, kept as tenant `system`. Goes on with the caller's trace when it sends one. */
export class OwnTraces implements Component {
  readonly name = "own traces";
  readonly #provider: TracerProvider;

  constructor(options: { submit: SubmitOwn; resource: SelfResource }) {
    const { version, instance } = options.resource;
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
    const spans = new WeakMap<FastifyRequest, Span>();
    app.addHook("onRequest", (request, _reply, done) => {
      if (UNTRACED.test(request.url)) return done();
      const route = request.routeOptions.url ?? "unknown";
      const span = tracer.startSpan(
        `${request.method} ${route}`,
        {
          kind: SpanKind.SERVER,
          attributes: {
            "http.request.method": request.method,
            "http.route": route,
            "url.path": request.url.split("?")[0] as string,
          },
        },
        parentOf(request),
      );
      spans.set(request, span);
      done();
    });
    app.addHook("onResponse", (request, reply, done) => {
      done();
      const span = spans.get(request);
      if (!span) return;
      span.setAttribute("http.response.status_code", reply.statusCode);
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    });
  }
}

/** The context of a W3C `traceparent` header, or none. */
function parentOf(request: FastifyRequest) {
  const header = request.headers.traceparent;
  const match = typeof header === "string" ? /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header) : null;
  if (!match) return ROOT_CONTEXT;
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

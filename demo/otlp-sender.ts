import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { durationsRequest, type MetricsAt, metricsRequest } from "./metrics-request.ts";

/** Nobody takes what is sent. The message says what to do. */
export class EndpointError extends Error {
  override readonly name = "EndpointError";
}

export type SentCounts = { spans: number; logs: number; points: number; failedRequests: number };

const MAX_ITEMS_PER_REQUEST = 1_000;
const MAX_FAILURES_IN_A_ROW = 3;
const TIMEOUT_MS = 10_000;

type Exporter<T> = {
  export(items: T, callback: (result: { code: number; error?: Error }) => void): void;
  shutdown(): Promise<void>;
};

/** Sends with the SDK's own exporters, one request after the other, and counts what was answered as accepted. */
export class OtlpSender {
  readonly sent: SentCounts = { spans: 0, logs: 0, points: 0, failedRequests: 0 };
  readonly #endpoint: string;
  readonly #traces: OTLPTraceExporter;
  readonly #logs: OTLPLogExporter;
  readonly #metrics: OTLPMetricExporter;
  #failuresInARow = 0;
  #lastFailure: unknown;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    process.env.OTEL_EXPORTER_OTLP_COMPRESSION ??= "gzip";
    const config = (signal: string) => ({ url: `${endpoint}/v1/${signal}`, timeoutMillis: TIMEOUT_MS });
    this.#traces = new OTLPTraceExporter(config("traces"));
    this.#logs = new OTLPLogExporter(config("logs"));
    this.#metrics = new OTLPMetricExporter(config("metrics"));
  }

  /** Sends an empty request. Throws {@link EndpointError} when it is not accepted. */
  async probe(): Promise<void> {
    let response: Response;
    try {
      response = await this.#post("traces", "{}");
    } catch (cause) {
      throw new EndpointError(
        `nothing answers at ${this.#endpoint}: start Sightline with \`npm start\`, or name another OTLP/HTTP address with --endpoint`,
        { cause },
      );
    }
    if (!response.ok) {
      const text = (await response.text()).slice(0, 200);
      throw new EndpointError(
        `${this.#endpoint}/v1/traces answers ${response.status} (${text}): is it the address of OTLP/HTTP?`,
      );
    }
  }

  async sendSpans(spans: readonly ReadableSpan[]): Promise<void> {
    for (const batch of chunks(spans)) {
      if (await this.#export<ReadableSpan[]>(this.#traces, batch)) this.sent.spans += batch.length;
    }
  }

  async sendLogs(records: readonly ReadableLogRecord[]): Promise<void> {
    for (const batch of chunks(records)) {
      if (await this.#export<ReadableLogRecord[]>(this.#logs, batch)) this.sent.logs += batch.length;
    }
  }

  /** Metrics of one service, at one or more times. */
  async sendMetrics(steps: readonly MetricsAt[]): Promise<void> {
    const request = metricsRequest(steps);
    if (await this.#export(this.#metrics, request)) {
      for (const { metrics } of request.scopeMetrics) {
        for (const { dataPoints } of metrics) this.sent.points += dataPoints.length;
      }
    }
    const durations = durationsRequest(steps);
    if (durations === undefined) return;
    try {
      const response = await this.#post("metrics", durations.json);
      if (!response.ok) throw new Error(`status ${response.status}: ${(await response.text()).slice(0, 200)}`);
      this.sent.points += durations.points;
      this.#failuresInARow = 0;
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Throws {@link EndpointError} when there was something to send and none of it was accepted. */
  checkAnythingAccepted(): void {
    const { spans, logs, points, failedRequests } = this.sent;
    if (failedRequests > 0 && spans + logs + points === 0) throw this.#notAccepted(`any of ${failedRequests} requests`);
  }

  #notAccepted(what: string): EndpointError {
    const cause = this.#lastFailure;
    const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
    return new EndpointError(`${this.#endpoint} did not accept ${what}, the last one because of: ${reason}`, { cause });
  }

  async close(): Promise<void> {
    await Promise.all([this.#traces.shutdown(), this.#logs.shutdown(), this.#metrics.shutdown()]);
  }

  #post(signal: string, json: string): Promise<Response> {
    return fetch(`${this.#endpoint}/v1/${signal}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: json,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }

  async #export<T>(exporter: Exporter<T>, items: T): Promise<boolean> {
    const { code, error } = await new Promise<{ code: number; error?: Error }>((resolve) => {
      exporter.export(items, resolve);
    });
    if (code === 0) {
      this.#failuresInARow = 0;
      return true;
    }
    this.#failed(error);
    return false;
  }

  #failed(error: unknown): void {
    this.sent.failedRequests++;
    this.#lastFailure = error;
    if (++this.#failuresInARow >= MAX_FAILURES_IN_A_ROW) {
      throw this.#notAccepted(`${MAX_FAILURES_IN_A_ROW} requests in a row`);
    }
  }
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += MAX_ITEMS_PER_REQUEST) yield items.slice(i, i + MAX_ITEMS_PER_REQUEST);
}

import type { Component } from "@sightline/model/ports.ts";
import type { Registry } from "prom-client";
import { type OtlpAttribute, resourceAttributes, type SelfResource, type SubmitOwn } from "./submit.ts";

type Value = { value: number; metricName?: string; labels: Record<string, string | number> };
type MetricJson = { name: string; help: string; type: string; values: Value[] };

/** Writes the process' own prom-client metrics as OTLP at an interval. A failed write is counted, not retried. */
export class OwnMetrics implements Component {
  readonly name = "own metrics";
  readonly #registry: Registry;
  readonly #submit: SubmitOwn;
  readonly #resource: SelfResource;
  readonly #intervalMs: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #startNs = String(BigInt(Math.round(performance.timeOrigin)) * 1_000_000n);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: {
    registry: Registry;
    submit: SubmitOwn;
    resource: SelfResource;
    intervalMs: number;
    onFailure: (error: unknown) => void;
  }) {
    this.#registry = options.registry;
    this.#submit = options.submit;
    this.#resource = options.resource;
    this.#intervalMs = options.intervalMs;
    this.#onFailure = options.onFailure;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#tick(), this.#intervalMs);
    this.#timer.unref();
    this.#tick();
  }

  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#tick();
    await this.#running;
  }

  #tick(): void {
    this.#running = this.#running.then(() => this.#write()).catch(this.#onFailure);
  }

  async #write(): Promise<void> {
    const metrics = (await this.#registry.getMetricsAsJSON()) as unknown as MetricJson[];
    const timeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
    const payload = {
      resourceMetrics: [
        {
          resource: { attributes: resourceAttributes(this.#resource) },
          scopeMetrics: [{ metrics: metrics.flatMap((metric) => this.#toOtlp(metric, timeUnixNano)) }],
        },
      ],
    };
    await this.#submit("otlp-metrics-json", Buffer.from(JSON.stringify(payload)));
  }

  #toOtlp(metric: MetricJson, timeUnixNano: string): object[] {
    const { name, help: description, type } = metric;
    const times = { startTimeUnixNano: this.#startNs, timeUnixNano };
    const points = () =>
      metric.values.map(({ labels, value }) => ({ ...times, attributes: attributes(labels), asDouble: value }));
    if (metric.values.length === 0) return [];
    if (type === "gauge") return [{ name, description, gauge: { dataPoints: points() } }];
    if (type === "counter") {
      return [{ name, description, sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: points() } }];
    }
    if (type === "histogram") {
      return [
        { name, description, histogram: { aggregationTemporality: 2, dataPoints: histogramPoints(metric, times) } },
      ];
    }
    return [];
  }
}

function attributes(labels: Record<string, string | number>): OtlpAttribute[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value: { stringValue: String(value) } }));
}

/** prom-client lists a histogram as cumulative `_bucket`, `_sum` and `_count` values; OTLP wants one point per label set. */
function histogramPoints(metric: MetricJson, times: object): object[] {
  type Point = { attributes: OtlpAttribute[]; bounds: number[]; cumulative: number[]; sum: number; count: number };
  const points = new Map<string, Point>();
  for (const { labels, metricName, value } of metric.values) {
    const { le, ...rest } = labels;
    const key = JSON.stringify(rest);
    let point = points.get(key);
    if (!point) {
      point = { attributes: attributes(rest), bounds: [], cumulative: [], sum: 0, count: 0 };
      points.set(key, point);
    }
    if (metricName === `${metric.name}_sum`) point.sum = value;
    else if (metricName === `${metric.name}_count`) point.count = value;
    else {
      if (le !== "+Inf") point.bounds.push(Number(le));
      point.cumulative.push(value);
    }
  }
  return [...points.values()].map(({ attributes: own, bounds, cumulative, sum, count }) => ({
    ...times,
    attributes: own,
    count: String(count),
    sum,
    explicitBounds: bounds,
    bucketCounts: cumulative.map((value, i) => String(value - (cumulative[i - 1] ?? 0))),
  }));
}

import type { HrTime } from "@opentelemetry/api";
import { JsonMetricsSerializer } from "@opentelemetry/otlp-transformer";
import type { MetricData, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { type Exemplar, pointKey } from "./exemplars.ts";
import { type CollectedMetrics, DURATION_METRIC, hrTime } from "./simulated-service.ts";

/** Metrics at a time of the simulation: the SDK stamps them with the time at which it collects. */
export type MetricsAt = { readonly collected: CollectedMetrics; readonly startMs: number; readonly timeMs: number };

/**
 * Joins what one service's SDK collected at several times into one request, each point under its own time. Without
 * {@link DURATION_METRIC}: see {@link durationsRequest}.
 */
export function metricsRequest(steps: readonly MetricsAt[]): ResourceMetrics {
  return joinSteps(steps, (metric) => metric.descriptor.name !== DURATION_METRIC);
}

/**
 * The request durations as OTLP JSON with exemplars, which the SDK can't send by itself. Undefined when there is none.
 */
export function durationsRequest(
  steps: readonly MetricsAt[],
): { readonly json: string; readonly points: number } | undefined {
  const metrics = joinSteps(steps, (metric) => metric.descriptor.name === DURATION_METRIC);
  if (metrics.scopeMetrics.length === 0) return undefined;
  const bytes = JsonMetricsSerializer.serializeRequest(metrics) as Uint8Array;
  const request = JSON.parse(new TextDecoder().decode(bytes)) as JsonMetrics;
  const exemplars = new Map(steps.map(({ collected, timeMs }) => [nanoseconds(hrTime(timeMs)), collected.exemplars]));
  let points = 0;
  for (const { scopeMetrics } of request.resourceMetrics) {
    for (const { dataPoints } of scopeMetrics.flatMap((scope) => scope.metrics.flatMap((metric) => metric.histogram))) {
      points += dataPoints.length;
      for (const point of dataPoints) {
        const exemplar = exemplars.get(BigInt(point.timeUnixNano))?.get(pointKey(attributesOf(point)));
        if (exemplar) point.exemplars = [exemplarJson(exemplar)];
      }
    }
  }
  return { json: JSON.stringify(request), points };
}

type JsonPoint = {
  timeUnixNano: string;
  attributes?: { key: string; value: { stringValue?: string; intValue?: number | string } }[];
  exemplars?: object[];
};
type JsonMetrics = {
  resourceMetrics: { scopeMetrics: { metrics: { histogram: { dataPoints: JsonPoint[] } }[] }[] }[];
};

function attributesOf({ attributes = [] }: JsonPoint): Record<string, string | number> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]));
}

function exemplarJson({ value, timeMs, context }: Exemplar): object {
  const { traceId, spanId } = context;
  return { timeUnixNano: String(nanoseconds(hrTime(timeMs))), asDouble: value, traceId, spanId };
}

function nanoseconds([seconds, nanos]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
}

function joinSteps(steps: readonly MetricsAt[], takes: (metric: MetricData) => boolean): ResourceMetrics {
  const byName = new Map<string, MetricData>();
  for (const { collected, startMs, timeMs } of steps) {
    const times = { startTime: hrTime(startMs), endTime: hrTime(timeMs) };
    for (const metric of collected.metrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
      if (!takes(metric)) continue;
      const points = metric.dataPoints.map((point) => ({ ...point, ...times }));
      const known = byName.get(metric.descriptor.name);
      if (known) (known.dataPoints as unknown[]).push(...points);
      else byName.set(metric.descriptor.name, { ...metric, dataPoints: points } as MetricData);
    }
  }
  const first = (steps[0] as MetricsAt).collected.metrics;
  const scope = first.scopeMetrics[0]?.scope ?? { name: "shop-demo" };
  return { resource: first.resource, scopeMetrics: byName.size > 0 ? [{ scope, metrics: [...byName.values()] }] : [] };
}

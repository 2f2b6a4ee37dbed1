/** How tests decode OTLP metrics and read what came out. */
import { deepStrictEqual } from "node:assert";
import { formatLabels } from "@sightline/model/labels.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { DEFAULT_OTLP_METRICS_OPTIONS, type OtlpMetricsOptions } from "./metrics/translation.ts";
import { OtlpMetricsDecoder } from "./metrics.ts";
import {
  type ExponentialPointInput,
  encodeMetrics,
  type HistogramPointInput,
  type MetricInput,
  type NumberPointInput,
  type ResourceInput,
} from "./test-metrics.ts";

export const NOW = 1_790_000_000_000;
export const CUMULATIVE = 2;
export const DELTA = 1;

export const newDecoder = (options: Partial<OtlpMetricsOptions> = {}) =>
  new OtlpMetricsDecoder(new SeriesInterner(10_000), { ...DEFAULT_OTLP_METRICS_OPTIONS, ...options });

/** Decodes twice with one decoder: known series must come out as new ones did. */
export function decode(resources: readonly ResourceInput[], options: Partial<OtlpMetricsOptions> = {}) {
  const decoder = newDecoder(options);
  const bytes = encodeMetrics(resources);
  const first = decoder.decode(bytes);
  const seriesCount = first.batch.series.length;
  const second = decoder.decode(bytes);
  deepStrictEqual(rowsOf(second.batch), rowsOf(first.batch));
  deepStrictEqual(second.batch.series.length, seriesCount);
  deepStrictEqual(second.rejected, first.rejected);
  deepStrictEqual(second.batch.metadata, first.batch.metadata);
  return second;
}

export const decodeMetrics = (...metrics: MetricInput[]) => decode([{ scopes: [{ metrics }] }]);

/** `name{labels} = value`, or `stale`; in the order of the batch. */
export function rowsOf(batch: MetricBatch): string[] {
  const words = wordsOf(batch.values);
  return Array.from({ length: batch.length }, (_, i) => {
    const value = isStaleAt(words, i) ? "stale" : batch.values[i];
    return `${formatLabels(batch.series[batch.refs[i] as number]!.labels)} = ${value}`;
  });
}

export const number = (point: NumberPointInput = {}): NumberPointInput => ({ timeMs: NOW, asDouble: 1, ...point });
export const gauge = (point: NumberPointInput = {}, name = "g"): MetricInput => ({
  name,
  gauge: { dataPoints: [number(point)] },
});
export const counter = (point: NumberPointInput = {}, name = "c"): MetricInput => ({
  name,
  sum: { dataPoints: [number(point)], aggregationTemporality: CUMULATIVE, isMonotonic: true },
});
export const histogram = (point: HistogramPointInput, aggregationTemporality = CUMULATIVE): MetricInput => ({
  name: "h",
  unit: "s",
  histogram: { dataPoints: [{ timeMs: NOW, ...point }], aggregationTemporality },
});
export const exponential = (point: ExponentialPointInput, aggregationTemporality = CUMULATIVE): MetricInput => ({
  name: "e",
  exponentialHistogram: { dataPoints: [{ timeMs: NOW, ...point }], aggregationTemporality },
});

import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { z } from "zod";
import { attributesConfig, attributesLogs, attributesSeries, attributesSpans } from "./attributes.ts";
import { exemplarsConfig, limitExemplars } from "./exemplars.ts";
import { filterConfig, filterLogs, filterSeries, filterSpans } from "./filter.ts";
import { haDedup, haDedupConfig } from "./ha-dedup.ts";
import { limitStorms, limitStormsConfig } from "./limit-storms.ts";
import { redactConfig, redactLogs, redactSeries, redactSpans } from "./redact.ts";
import { relabelConfig, relabelProcessor } from "./relabel.ts";
import { sampleLogs, sampleLogsConfig } from "./sample-logs.ts";
import { sampleTraces, sampleTracesConfig } from "./sample-traces.ts";
import type { SeriesFunction } from "./series-mapper.ts";
import type { ProcessorContext, Stage } from "./stage.ts";

/** Every kind of processor by signal: what may be said in its settings. The factories are below, one per kind. */
export const metricProcessor = z.discriminatedUnion("kind", [
  relabelConfig,
  filterConfig,
  attributesConfig,
  redactConfig,
  exemplarsConfig,
  haDedupConfig,
]);
export const logProcessor = z.discriminatedUnion("kind", [
  filterConfig,
  attributesConfig,
  sampleLogsConfig,
  redactConfig,
  limitStormsConfig,
]);
export const traceProcessor = z.discriminatedUnion("kind", [
  filterConfig,
  attributesConfig,
  sampleTracesConfig,
  redactConfig,
]);
export type MetricProcessor = z.output<typeof metricProcessor>;
export type LogProcessor = z.output<typeof logProcessor>;
export type TraceProcessor = z.output<typeof traceProcessor>;

type Factories<Config extends { kind: string }, Made> = {
  readonly [Kind in Config["kind"]]: (config: Extract<Config, { kind: Kind }>, context: ProcessorContext) => Made;
};

/** Functions of the labels are run together by one SeriesMapper. */
const METRICS: Factories<MetricProcessor, Stage<MetricBatch> | SeriesFunction> = {
  relabel: relabelProcessor,
  filter: filterSeries,
  attributes: attributesSeries,
  redact: redactSeries,
  exemplars: limitExemplars,
  ha_dedup: haDedup,
};
const LOGS: Factories<LogProcessor, Stage<LogBatch>> = {
  filter: filterLogs,
  attributes: attributesLogs,
  sample_logs: sampleLogs,
  redact: redactLogs,
  limit_storms: limitStorms,
};
const TRACES: Factories<TraceProcessor, Stage<SpanBatch>> = {
  filter: filterSpans,
  attributes: attributesSpans,
  sample_traces: sampleTraces,
  redact: redactSpans,
};

export function makeMetricProcessor(
  config: MetricProcessor,
  context: ProcessorContext,
): Stage<MetricBatch> | SeriesFunction {
  return METRICS[config.kind](config as never, context);
}
export function makeLogProcessor(config: LogProcessor, context: ProcessorContext): Stage<LogBatch> {
  return LOGS[config.kind](config as never, context);
}
export function makeTraceProcessor(config: TraceProcessor, context: ProcessorContext): Stage<SpanBatch> {
  return TRACES[config.kind](config as never, context);
}

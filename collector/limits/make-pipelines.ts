import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { logHelpers } from "../log-helpers/log-helpers.ts";
import { Pipeline, type Pipelines } from "../processors/pipeline.ts";
import { makeLogProcessor, makeMetricProcessor, makeTraceProcessor } from "../processors/registry.ts";
import { type SeriesFunction, SeriesMapper } from "../processors/series-mapper.ts";
import type { ProcessorContext, Stage } from "../processors/stage.ts";
import { activeSeries } from "./active-series.ts";
import { logRowLimits, spanRowLimits } from "./row-limits.ts";
import { labelLimits } from "./series-limits.ts";
import { spansPerTrace } from "./spans-per-trace.ts";
import type { TenantConfig } from "./tenant-config.ts";
import { metricWindows } from "./time-windows.ts";

/**
 * What is found in log records, then processors, in the order of the settings, then limits: what is left out does not count, and a label that is too
 * long may be cut.
 */
export function makePipelines({ limits, logs, processors }: TenantConfig, context: ProcessorContext): Pipelines {
  const { maxSeries } = context;
  const active = activeSeries(limits.metrics, context);
  return {
    activeSeries: active,
    metrics: pipeline(
      fuse(
        [
          ...processors.metrics.map((config) => makeMetricProcessor(config, context)),
          labelLimits(limits.metrics),
          metricWindows(limits.metrics),
          active,
        ],
        maxSeries,
      ),
      [limits.metrics, processors.metrics],
    ),
    logs: pipeline(
      [
        ...logHelpers(logs),
        ...processors.logs.map((config) => makeLogProcessor(config, context)),
        logRowLimits(limits.logs),
      ],
      [logs, limits.logs, processors.logs],
    ),
    traces: pipeline(
      [
        ...processors.traces.map((config) => makeTraceProcessor(config, context)),
        spanRowLimits(limits.traces),
        spansPerTrace(limits.traces.max_spans_per_trace),
      ],
      [limits.traces, processors.traces],
    ),
  };
}

function pipeline<Batch extends object>(
  stages: readonly (Stage<Batch> | undefined)[],
  settings: unknown,
): Pipeline<Batch> | undefined {
  const given = stages.filter((stage) => stage !== undefined);
  return given.length > 0 ? new Pipeline(given, settings) : undefined;
}

/** Functions of labels that follow each other cost one look-up together. */
function fuse(
  steps: readonly (Stage<MetricBatch> | SeriesFunction | undefined)[],
  maxSeries: number,
): readonly Stage<MetricBatch>[] {
  const stages: Stage<MetricBatch>[] = [];
  let functions: SeriesFunction[] = [];
  for (const step of steps) {
    if (step && "map" in step) functions.push(step);
    else if (step) {
      if (functions.length > 0) stages.push(new SeriesMapper(functions, maxSeries));
      functions = [];
      stages.push(step);
    }
  }
  if (functions.length > 0) stages.push(new SeriesMapper(functions, maxSeries));
  return stages;
}

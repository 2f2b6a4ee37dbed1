import { count } from "@sightline/settings/setting-types.ts";
import { z } from "zod";
import { logHelpersConfig } from "../log-helpers/log-helpers-config.ts";
import { logProcessor, metricProcessor, traceProcessor } from "../processors/registry.ts";
import { limit } from "../setting-types.ts";
import { tailSamplingConfig } from "../tail-sampling/tail-sampling-config.ts";

const rates = (items: string) => ({
  items_per_second: limit(`${items} a second, over time; more is refused with 429`),
  items_burst: limit("").describe(`${items} that may come at once; 0: as many as items_per_second`),
  bytes_per_second: limit("Bytes of request bodies, as they come, a second, over time; more is refused with 429"),
  bytes_burst: limit("").describe("Bytes that may come at once; 0: as many as bytes_per_second"),
  max_request_bytes: limit("Largest request body as it comes, below collector.limits.max_request_bytes; larger: 413"),
});
const windows = (items: string) => ({
  out_of_order_window_ms: limit(`${items} whose time is further behind their receipt are refused`),
  future_window_ms: limit(`${items} whose time is further ahead of their receipt are refused`),
});
const attributeLimits = (items: string) => ({
  max_attributes: limit(`Attributes of one of the ${items}, without those of its resource; more: refused`),
  max_attribute_name_length: limit("Characters of an attribute's name; with a longer one: refused"),
  max_attribute_value_length: limit("Characters of an attribute's value; with a longer one: refused"),
});

const metricLimits = z
  .strictObject({
    ...rates("Samples"),
    max_active_series: limit(
      "Series with a sample within active_series_window_ms; samples of more are added up in overflow series",
    ),
    max_series_per_metric: limit("The same for the series of one metric"),
    active_series_window_ms: count(1_200_000, 1_000).describe(
      "How long a series counts as active after its last sample",
    ),
    max_overflow_series: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(1_000)
      .describe("Overflow series of a tenant; what would need more of them is refused"),
    max_labels_per_series: limit("Labels of a series, its name included; with more: refused"),
    max_label_name_length: limit("Characters of a label's name; with a longer one: refused"),
    max_label_value_length: limit("Characters of a label's value; with a longer one: refused"),
    ...windows("Samples"),
  })
  .prefault({});
const logLimits = z
  .strictObject({
    ...rates("Log records"),
    ...attributeLimits("log records"),
    max_body_length: limit("Characters of a log record's body; longer: refused"),
    ...windows("Log records"),
  })
  .prefault({});
const traceLimits = z
  .strictObject({
    ...rates("Spans"),
    ...attributeLimits("spans"),
    max_spans_per_trace: limit(
      "Spans of one trace, as far as it is remembered (100000 traces a tenant); more: refused",
    ),
    ...windows("Spans"),
  })
  .prefault({});

/** What one tenant may send and what is done with it: `collector.tenants`, and each entry of the overrides file. */
export const tenantConfig = z
  .strictObject({
    limits: z
      .strictObject({
        metrics: metricLimits.describe("Limits of metrics"),
        logs: logLimits.describe("Limits of logs"),
        traces: traceLimits.describe("Limits of traces"),
      })
      .prefault({})
      .describe("What one tenant may send, by signal"),
    processors: z
      .strictObject({
        metrics: z
          .array(metricProcessor)
          .max(100)
          .default([])
          .describe("In this order, each with its kind: relabel, filter, attributes, redact, exemplars, ha_dedup"),
        logs: z
          .array(logProcessor)
          .max(100)
          .default([])
          .describe("In this order, each with its kind: filter, attributes, sample_logs, redact, limit_storms"),
        traces: z
          .array(traceProcessor)
          .max(100)
          .default([])
          .describe("In this order, each with its kind: filter, attributes, sample_traces, redact"),
      })
      .prefault({})
      .describe("What is done with items between decoding and storing; see docs/operating/limits-and-processors.md"),
    logs: logHelpersConfig.describe("What is found in log records as they come in, before their processors see them"),
    tail_sampling: tailSamplingConfig.describe("Which traces are kept, decided when their spans have come"),
  })
  .prefault({});

export type TenantConfig = z.output<typeof tenantConfig>;
export type MetricLimits = TenantConfig["limits"]["metrics"];
export type LogLimits = TenantConfig["limits"]["logs"];
export type TraceLimits = TenantConfig["limits"]["traces"];
export type RateLimits = Pick<LogLimits, "items_per_second" | "items_burst" | "bytes_per_second" | "bytes_burst">;

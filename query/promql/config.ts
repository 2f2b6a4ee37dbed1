import { positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

/** Limits of one PromQL query: the part of the section `query` that the engine reads. */
export const promLimitsSchema = z.object({
  max_samples: positive.default(50_000_000).describe("Samples that one PromQL query may hold in memory at a time"),
  max_subquery_steps: positive.default(1_100_000).describe("Steps of one subquery; [1y:30s] has 1,051,200"),
  max_subquery_samples: positive
    .default(250_000_000)
    .describe(
      "Samples that the subqueries of a query may look at per series, over all steps; [1d:1m] has 1,440 at each of them",
    ),
  max_series_operations: positive
    .default(1_000_000)
    .describe(
      "Series, times the operators and functions that a query applies to each before it aggregates them. The first ten are not counted, " +
        "and a hundred steps of a range count as one more series",
    ),
  max_label_characters: positive
    .default(67_108_864)
    .describe("Characters that label_replace, label_join and count_values may write in one query"),
  timeout_ms: positive.default(120_000).describe("Milliseconds that one query may take"),
  lookback_ms: positive
    .default(300_000)
    .describe("How far back an instant selector looks for the newest sample, in milliseconds"),
  max_query_bytes: positive.default(1_000_000).describe("Length of the text of one query"),
  default_step_ms: positive.default(60_000).describe("Step of subqueries that name none, in milliseconds"),
});
export type PromLimits = z.infer<typeof promLimitsSchema>;
export const DEFAULT_PROM_LIMITS: PromLimits = promLimitsSchema.parse({});

import { z } from "zod";

/** Limits of one PromQL query: the part of the section `query` that the engine reads. */
export const promLimitsSchema = z.object({
  max_samples: z
    .number()
    .int()
    .positive()
    .default(50_000_000)
    .describe("Samples that one PromQL query may hold in memory at a time"),
  timeout_ms: z.number().int().positive().default(120_000).describe("Milliseconds that one query may take"),
  lookback_ms: z
    .number()
    .int()
    .positive()
    .default(300_000)
    .describe("How far back an instant selector looks for the newest sample, in milliseconds"),
  max_query_bytes: z.number().int().positive().default(1_000_000).describe("Length of the text of one query"),
  default_step_ms: z
    .number()
    .int()
    .positive()
    .default(60_000)
    .describe("Step of subqueries that name none, in milliseconds"),
});
export type PromLimits = z.infer<typeof promLimitsSchema>;
export const DEFAULT_PROM_LIMITS: PromLimits = promLimitsSchema.parse({});

import { z } from "zod";
import { rowMatch } from "../processors/row-match.ts";
import { limit } from "../setting-types.ts";

const STATUSES = ["unset", "ok", "error"] as const;

/** Conditions on a trace as far as its spans have come; all of those given have to hold. */
export const tailPolicy = z.strictObject({
  name: z.string().min(1).max(100).describe("Written to the spans that it keeps, and a label of the metrics"),
  action: z.enum(["keep", "drop"]).default("keep"),
  min_duration_ms: z.number().min(0).optional().describe("From the first start to the last end of its spans"),
  max_duration_ms: z.number().min(0).optional(),
  min_spans: z.number().int().min(1).optional(),
  max_spans: z.number().int().min(1).optional(),
  status: z.enum(STATUSES).optional().describe("Of at least one span"),
  match: rowMatch.optional().describe("Holds for at least one span"),
  unless: rowMatch.optional().describe("Holds for no span"),
  number: z
    .strictObject({ attribute: z.string().min(1), min: z.number().optional(), max: z.number().optional() })
    .optional()
    .describe("At least one span has this attribute within these bounds, both included"),
  ratio: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("The part of these traces, by trace id: the same ones on every replica"),
  max_spans_per_second: limit("Spans of these traces a second; traces beyond are left to the next policies"),
});

/** The tenant's `tail_sampling`: which traces are kept once they are complete. */
export const tailSamplingConfig = z
  .strictObject({
    policies: z
      .array(tailPolicy)
      .max(100)
      .default([])
      .describe(
        "The first one that holds for a trace decides; traces of none are dropped. Without any, all are kept at once",
      ),
    decision_wait_ms: z
      .number()
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .describe("How long after its first span it is decided about a trace; queries see its spans from then on"),
    agreement_wait_ms: z
      .number()
      .int()
      .min(0)
      .max(3_600_000)
      .default(6_000)
      .describe(
        "With Redis: how much longer a trace that no policy of this collector keeps waits for others that may keep it for their spans",
      ),
    max_held_spans: z
      .number()
      .int()
      .min(1_000)
      .max(10_000_000)
      .default(500_000)
      .describe("Spans that wait; above it the traces that wait longest are decided at once"),
  })
  .prefault({});

export type TailPolicyConfig = z.output<typeof tailPolicy>;
export type TailSamplingConfig = z.output<typeof tailSamplingConfig>;

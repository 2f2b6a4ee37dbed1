import { parseBytes, parseDurationMs } from "@sightline/model/units.ts";
import { z } from "zod";

/** Text such as `15d`, parsed to milliseconds. */
const duration = (text: string) => z.string().default(text).transform(asIssue(parseDurationMs));
/** Text such as `64MiB`, parsed to bytes. */
const size = (text: string) => z.string().default(text).transform(asIssue(parseBytes));

/** Settings of the embedded metric store; durations come out in ms, sizes in bytes. */
export const embeddedMetricsConfig = z.strictObject({
  retention: duration("15d").describe(
    "Samples older than this are refused, and blocks that hold only such samples are deleted.",
  ),
  out_of_bounds_future: duration("1h").describe("Samples further ahead of the clock than this are refused."),
  max_series: z
    .number()
    .int()
    .min(1)
    .default(2_000_000)
    .describe("Series of one tenant in memory; samples of further ones are refused until some have been idle."),
  head: z
    .strictObject({
      max_samples: z
        .number()
        .int()
        .min(1)
        .default(8_000_000)
        .describe("Samples of one tenant that are kept in memory before they are written as a block."),
      max_age: duration("2h").describe("Samples are written as a block after so long in memory, however few they are."),
    })
    .prefault({}),
  max_exemplars: z.number().int().min(0).default(100_000).describe("Exemplars kept per tenant, the newest ones."),
  max_metadata: z.number().int().min(0).default(100_000).describe("Metrics of one tenant whose metadata is kept."),
  cache: size("128MiB").describe("Memory for decompressed pages of block files, all tenants together."),
});
export type EmbeddedMetricsConfig = z.output<typeof embeddedMetricsConfig>;

/** The section `storage`. */
export const storageConfig = z.strictObject({
  metrics: embeddedMetricsConfig.prefault({}),
});
export type StorageConfig = z.output<typeof storageConfig>;

/** A parser that throws, as a transform that reports. */
function asIssue<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  };
}

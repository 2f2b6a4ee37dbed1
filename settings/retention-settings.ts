import { orderedTiers, STANDARD_TIERS, type Tier } from "@sightline/model/downsampling/tiers.ts";
import { parseSelector } from "@sightline/model/parse-selector.ts";
import { z } from "zod";
import { asIssue, durationText } from "./setting-types.ts";

/** What is kept for another time than the rest: matchers, and milliseconds. The first rule whose matchers match counts. */
export const retentionRules = z
  .array(
    z.strictObject({
      selector: z
        .string()
        .transform(asIssue(parseSelector))
        .describe('Which ones: debug_metric{env="dev"} or {service_name=~"test-.*"}'),
      keep: durationText.describe("How long their samples are kept"),
    }),
  )
  .max(200);

const tier = z.strictObject({
  resolution: durationText.describe("Length of the windows: 1m, 5m, 1h"),
  after: durationText.describe("How long a day ended ago"),
});

/** `off`, `standard` or tiers, parsed to tiers that ascend by age. */
export const downsampling = z.union([z.enum(["off", "standard"]), z.array(tier).max(8)]).transform(asIssue(tiersOf));

/** What becomes of samples as they get older: the keys of every metric store. */
export const metricAging = {
  retention_rules: retentionRules
    .default([])
    .describe(
      "Series that are kept for another time: a list of selector and keep. The first whose selector matches counts.",
    ),
  downsampling: downsampling
    .default([])
    .describe(
      "Days that are over become coarser: a list of resolution and after (how long a day ended ago). standard: 1m after 24h, 5m after 7d; retention says how long all of it is kept.",
    ),
};

function tiersOf(tiers: "off" | "standard" | readonly z.output<typeof tier>[]): readonly Tier[] {
  if (tiers === "off") return [];
  if (tiers === "standard") return STANDARD_TIERS;
  return orderedTiers(tiers.map(({ resolution, after }) => ({ resolutionMs: resolution, afterMs: after })));
}

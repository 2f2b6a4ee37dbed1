import { labelsKey } from "@sightline/model/labels.ts";
import type { ExemplarSample, MetricBatch } from "@sightline/model/metric-batch.ts";
import { count } from "@sightline/settings/setting-types.ts";
import { z } from "zod";
import type { Stage } from "./stage.ts";

/** Bounds exemplars. They are no items: those left out are counted as dropped, and no sender is told. */
export const exemplarsConfig = z.strictObject({
  kind: z.literal("exemplars"),
  max_per_series: count(10, 0).describe("In one request; the newest are kept. 0: none"),
  max_label_characters: count(128, 0).describe(
    "Names and values of an exemplar's labels together, as OpenMetrics bounds them; longer ones are left out",
  ),
});

export function limitExemplars(config: z.output<typeof exemplarsConfig>): Stage<MetricBatch> {
  return {
    name: "exemplars",
    apply(batch, _decision, pass) {
      if (batch.exemplars.length === 0) return batch;
      const exemplars = newest(
        batch.exemplars.filter((each) => characters(each) <= config.max_label_characters),
        config.max_per_series,
      );
      pass.drop("exemplars", batch.exemplars.length - exemplars.length);
      return { ...batch, exemplars };
    },
  };
}

function characters({ labels }: ExemplarSample): number {
  return labels.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

function newest(exemplars: readonly ExemplarSample[], maxPerSeries: number): readonly ExemplarSample[] {
  const bySeries = Map.groupBy(exemplars, ({ ref }) => ref);
  const kept = new Set<ExemplarSample>();
  for (const ofSeries of bySeries.values()) {
    const sorted = ofSeries.toSorted(
      (a, b) => b.timeMs - a.timeMs || (labelsKey(a.labels) < labelsKey(b.labels) ? -1 : 1),
    );
    for (const each of sorted.slice(0, maxPerSeries)) kept.add(each);
  }
  return exemplars.filter((each) => kept.has(each));
}

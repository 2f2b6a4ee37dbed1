import { isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import { compareLabels, type Labels, labelsKey, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { Queryable, SeriesSlice } from "@sightline/model/metric-store.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { sortInTurns } from "../http/sort-in-turns.ts";
import { Turn } from "../http/turn.ts";

/** What one series counts for in {@link Turn.tired}. */
const SERIES_WORK = 500;

/** The newest sample of a series: a float, or a native histogram (then `value` means nothing). */
export type LatestSample = {
  readonly name: string;
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number;
  readonly histogram?: NativeHistogram;
};

/** Of every series that a set of matchers selects, once, sorted by name; series that ended or have no name are left out. */
export async function latestSamples(
  queryable: Pick<Queryable, "select">,
  request: { tenant: TenantId; range: TimeRange; matcherSets: readonly (readonly Matcher[])[] },
  signal: AbortSignal,
): Promise<LatestSample[]> {
  const { tenant, range, matcherSets } = request;
  const turn = new Turn();
  const samples = new Map<string, LatestSample>();
  for (const matchers of matcherSets) {
    for await (const group of queryable.select({ tenant, range, matchers }, signal)) {
      for (const slice of group) {
        const sample = latestOf(slice);
        if (sample) samples.set(labelsKey(slice.labels), sample);
        if (turn.tired(SERIES_WORK)) await turn.breathe();
      }
    }
  }
  return sortInTurns([...samples.values()], byName, turn);
}

function byName(a: LatestSample, b: LatestSample): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return compareLabels(a.labels, b.labels);
}

function latestOf({ labels, timesMs, values, histograms }: SeriesSlice): LatestSample | undefined {
  const name = labelValue(labels, METRIC_NAME);
  if (name === "") return undefined;
  const last = timesMs.length - 1;
  const lastHistogram = (histograms?.timesMs.length ?? 0) - 1;
  const floatMs = last < 0 ? Number.NEGATIVE_INFINITY : (timesMs[last] as number);
  const histogramMs = histograms?.timesMs[lastHistogram] ?? Number.NEGATIVE_INFINITY;
  if (histogramMs > floatMs) {
    const histogram = histograms?.values[lastHistogram] as NativeHistogram;
    return isStaleHistogram(histogram) ? undefined : { name, labels, timeMs: histogramMs, value: 0, histogram };
  }
  if (last < 0) return undefined;
  const value = values[last] as number;
  if (Number.isNaN(value) && isStaleAt(wordsOf(values), last)) return undefined;
  return { name, labels, timeMs: floatMs, value };
}

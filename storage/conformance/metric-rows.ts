import { labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricStore, SeriesSlice } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";

export const EVERYTHING = { startMs: Number.MIN_SAFE_INTEGER, endMs: Number.MAX_SAFE_INTEGER };
export const NO_SIGNAL = new AbortController().signal;

export type Selection = {
  readonly tenant?: TenantId;
  readonly range?: { readonly startMs: number; readonly endMs: number };
  readonly matchers?: readonly Matcher[];
  readonly sorted?: boolean;
  readonly transient?: boolean;
};

/** All that `select` yields, by labels and in the order it came; fails when a series comes twice. */
export async function selectAll(store: MetricStore, selection: Selection = {}): Promise<Map<string, SeriesSlice>> {
  const found = new Map<string, SeriesSlice>();
  for await (const group of store.select(requestOf(selection), NO_SIGNAL)) {
    for (const slice of group) {
      const key = labelsKey(slice.labels);
      if (found.has(key)) throw new Error(`series ${key} came twice`);
      found.set(key, selection.transient ? { ...slice, values: slice.values.slice() } : slice);
    }
  }
  return found;
}

export function requestOf({ tenant = DEFAULT_TENANT, range = EVERYTHING, matchers = [], ...how }: Selection) {
  return { tenant, range, matchers, ...how };
}

/** What a slice says, as plain data in which two bit patterns of a double are two things. */
export function plainSlice(slice: SeriesSlice) {
  const { labels, info, histograms } = slice;
  return {
    labels,
    info,
    samples: Array.from(slice.timesMs, (timeMs, i) => [timeMs, bitsOf(slice.values, i), slice.startsMs?.[i] ?? 0]),
    histograms: (histograms?.values ?? []).map((histogram, i) => [
      histograms?.timesMs[i],
      { ...histogram, sum: bitsOf(Float64Array.of(histogram.sum), 0) },
      histograms?.startsMs?.[i] ?? 0,
    ]),
  };
}

/** The samples of the only series selected, as `[time, value]`. */
export async function onlySamples(store: MetricStore, selection: Selection = {}): Promise<[number, number][]> {
  const found = [...(await selectAll(store, selection)).values()];
  if (found.length === 0) return [];
  if (found.length > 1) throw new Error(`${found.length} series selected, not one`);
  const { timesMs, values } = found[0] as SeriesSlice;
  return Array.from(timesMs, (timeMs, i) => [timeMs, values[i] as number]);
}

function bitsOf(values: Float64Array, index: number): string {
  return new BigUint64Array(values.buffer, values.byteOffset + index * 8, 1)[0]?.toString(16) as string;
}

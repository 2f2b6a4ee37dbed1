import { setImmediate as nextTurn } from "node:timers/promises";
import { compareLabels } from "@sightline/model/labels.ts";
import type { HistogramSlice, SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Client } from "../database/database.ts";
import { type FoundSeries, findSeries } from "./find-series.ts";
import type { PageCache } from "./page-cache.ts";
import { type ReadHistograms, type ReadOptions, readHistograms, readSamples } from "./read-group.ts";
import { SliceCutter } from "./retention/cut-slice.ts";
import type { Retention } from "./retention/retention.ts";
import { HAS_HISTOGRAMS, HAS_SAMPLES } from "./series-cache.ts";
import { SharedTimes } from "./shared-times.ts";
import { SampleJoiner } from "./tiers/join-samples.ts";

export type SelectOptions = {
  readonly cache: PageCache;
  /** In plain PostgreSQL. */
  readonly hasPages: boolean;
  readonly retention: Retention;
};

/** A group of series is read at once: about so many samples, by what a scrape every 15 s would give. */
const GROUP_SAMPLES = 6_000_000;
const MAX_GROUP_SERIES = 5_000;
/** Of those, about so many are given at a time when their values may be overwritten then: they stay in the processor's cache. */
const TRANSIENT_SAMPLES = 16_384;
const TYPICAL_INTERVAL_MS = 15_000;
const DAY_MS = 86_400_000;
const TURN_MS = 10;
const NO_SAMPLES = new Float64Array(0);

export async function* selectSeries(
  client: Client,
  request: SeriesRequest,
  { cache, hasPages, retention }: SelectOptions,
  signal: AbortSignal,
): AsyncIterable<readonly SeriesSlice[]> {
  const { tenant, matchers } = request;
  const range = retention.visible(tenant, request.range);
  if (range.startMs > range.endMs) return;
  const keptFrom = retention.keptFrom(tenant, range);
  const found = await findSeries(client, tenant, matchers, range, signal);
  // By id, series of one page come together.
  found.sort((a, b) => (request.sorted ? compareLabels(a.labels, b.labels) : a.id < b.id ? -1 : 1));
  const size = groupSize(range);
  const cutter = keptFrom && new SliceCutter();
  const valuesAtOnce = request.transient === true ? TRANSIENT_SAMPLES : Number.POSITIVE_INFINITY;
  const inPages = hasPages ? { cache, times: new SharedTimes(range), valuesAtOnce } : undefined;
  const isOfToday = range.startMs >= Math.floor(retention.nowMs / DAY_MS) * DAY_MS;
  // Days are downsampled once they are over.
  const tiers = isOfToday ? undefined : { cache, hints: request.hints, joiner: new SampleJoiner() };
  const options = { inPages, tiers, valuesAtOnce };
  let yielded = 0;
  for (let from = 0; from < found.length; from += size) {
    for await (const read of readGroup(client, found.slice(from, from + size), range, options, signal)) {
      const slices = keptFrom ? read.flatMap((slice) => cutter?.cut(slice, keptFrom(slice.labels)) ?? []) : read;
      if (slices.length === 0) continue;
      const left = request.limit ? request.limit - yielded : slices.length;
      yield slices.length > left ? slices.slice(0, left) : slices;
      yielded += slices.length;
      if (request.limit && yielded >= request.limit) return;
    }
  }
}

function groupSize(range: TimeRange): number {
  return Math.max(1, Math.min(MAX_GROUP_SERIES, Math.floor(GROUP_SAMPLES / perSeries(range))));
}

/** Samples of a series in the range, probably. Whoever asks for all of time has data of some days, in all likelihood. */
function perSeries({ startMs, endMs }: TimeRange): number {
  return Math.max(1, Math.min(endMs - startMs, 15 * DAY_MS) / TYPICAL_INTERVAL_MS);
}

/** Reads them all, and gives some at a time. */
async function* readGroup(
  client: Client,
  group: readonly FoundSeries[],
  range: TimeRange,
  options: ReadOptions & { readonly valuesAtOnce: number },
  signal: AbortSignal,
): AsyncGenerator<SeriesSlice[]> {
  const withSamples = group.filter(({ kinds }) => (kinds & HAS_SAMPLES) !== 0);
  const withHistograms = group.filter(({ kinds }) => (kinds & HAS_HISTOGRAMS) !== 0);
  const idsOf = (series: readonly FoundSeries[]) => series.map(({ id }) => id);
  const samples = await readSamples(client, idsOf(withSamples), range, options, signal);
  const histograms =
    withHistograms.length > 0 ? await readHistograms(client, idsOf(withHistograms), range, signal) : undefined;
  const sampleNumbers = new Map(withSamples.map(({ id }, number) => [id, number]));
  const histogramNumbers = new Map(withHistograms.map(({ id }, number) => [id, number]));
  const valuesAtOnce = options.inPages ? options.valuesAtOnce : Number.POSITIVE_INFINITY;
  let slices: SeriesSlice[] = [];
  let given = 0;
  let turnMs = performance.now();
  for (const { id, labels, info } of group) {
    if (performance.now() - turnMs > TURN_MS) {
      await nextTurn();
      signal.throwIfAborted();
      turnMs = performance.now();
    }
    const number = sampleNumbers.get(id);
    const own = number === undefined ? undefined : samples.take(number);
    const ownHistograms = histograms?.get(histogramNumbers.get(id) ?? -1);
    if (!ownHistograms && !own?.timesMs.length) continue;
    slices.push({
      labels,
      info,
      timesMs: own?.timesMs ?? NO_SAMPLES,
      values: own?.values ?? NO_SAMPLES,
      ...(own?.startsMs && { startsMs: own.startsMs }),
      ...(own?.counts && { counts: own.counts }),
      ...(ownHistograms && { histograms: histogramSlice(ownHistograms) }),
    });
    given += own?.timesMs.length ?? 0;
    if (given < valuesAtOnce) continue;
    yield slices;
    samples.reuse();
    slices = [];
    given = 0;
  }
  if (slices.length > 0) yield slices;
}

function histogramSlice({ timesMs, startsMs, values }: ReadHistograms): HistogramSlice {
  return {
    timesMs: Float64Array.from(timesMs),
    values,
    ...(startsMs.some((start) => start !== 0) && { startsMs: Float64Array.from(startsMs) }),
  };
}

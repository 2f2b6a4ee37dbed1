import { setImmediate as nextTurn } from "node:timers/promises";
import { compareLabels } from "@sightline/model/labels.ts";
import type { HistogramSlice, SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Client } from "../database/database.ts";
import { type FoundSeries, findSeries } from "./find-series.ts";
import type { PageCache } from "./page-cache.ts";
import type { PagePartsOptions } from "./page-parts.ts";
import { type ReadHistograms, readHistograms, readSamples } from "./read-group.ts";
import { HAS_HISTOGRAMS, HAS_SAMPLES } from "./series-cache.ts";
import { SharedTimes } from "./shared-times.ts";

/** A group of series is read at once: about so many samples, by what a scrape every 15 s would give. */
const GROUP_SAMPLES = 6_000_000;
const MAX_GROUP_SERIES = 5_000;
/** Of those, about so many are given at a time when their values may be overwritten then: they stay in the processor's cache. */
const TRANSIENT_SAMPLES = 16_384;
const TYPICAL_INTERVAL_MS = 15_000;
const DAY_MS = 86_400_000;
const TURN_MS = 10;
const NO_SAMPLES = new Float64Array(0);

/** `cache` is there when there are pages: in plain PostgreSQL. */
export async function* selectSeries(
  client: Client,
  request: SeriesRequest,
  cache: PageCache | undefined,
  signal: AbortSignal,
): AsyncIterable<readonly SeriesSlice[]> {
  const found = await findSeries(client, request.tenant, request.matchers, request.range, signal);
  // By id, series of one page come together.
  found.sort((a, b) => (request.sorted ? compareLabels(a.labels, b.labels) : a.id < b.id ? -1 : 1));
  const size = groupSize(request.range);
  const valuesAtOnce = request.transient === true ? TRANSIENT_SAMPLES : Number.POSITIVE_INFINITY;
  const inPages = cache && { cache, times: new SharedTimes(request.range), valuesAtOnce };
  let yielded = 0;
  for (let from = 0; from < found.length; from += size) {
    for await (const slices of readGroup(client, found.slice(from, from + size), request.range, inPages, signal)) {
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
  inPages: PagePartsOptions | undefined,
  signal: AbortSignal,
): AsyncGenerator<SeriesSlice[]> {
  const withSamples = group.filter(({ kinds }) => (kinds & HAS_SAMPLES) !== 0);
  const withHistograms = group.filter(({ kinds }) => (kinds & HAS_HISTOGRAMS) !== 0);
  const idsOf = (series: readonly FoundSeries[]) => series.map(({ id }) => id);
  const samples = await readSamples(client, idsOf(withSamples), range, inPages, signal);
  const histograms =
    withHistograms.length > 0 ? await readHistograms(client, idsOf(withHistograms), range, signal) : undefined;
  const sampleNumbers = new Map(withSamples.map(({ id }, number) => [id, number]));
  const histogramNumbers = new Map(withHistograms.map(({ id }, number) => [id, number]));
  const valuesAtOnce = inPages?.valuesAtOnce ?? Number.POSITIVE_INFINITY;
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

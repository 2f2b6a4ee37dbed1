import type { SeriesSamples } from "@sightline/model/downsampling/downsample-series.ts";
import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { readInt8 } from "../database/binary-copy-parser.ts";
import { copyOut, intArray } from "../database/copy-out.ts";
import type { Client } from "../database/database.ts";
import { int8 } from "../database/sql-int8.ts";
import { assembleSeries, SampleArena } from "./assemble-series.ts";
import { decodeHistogram } from "./histogram-codec.ts";
import type { SeriesLookUp } from "./page-codec.ts";
import { PageParts, type PagePartsOptions } from "./page-parts.ts";
import { MERGED_PAGE_MS } from "./partitions.ts";
import { SampleCollector } from "./sample-collector.ts";
import { bucketOfId, restOfId } from "./series-id.ts";
import { AS_IT_CAME } from "./tiers/tier-columns.ts";
import { type TierOptions, TierParts } from "./tiers/tier-parts.ts";

/** Room for those of the rows at first; pages say how much they need. */
const FIRST_PER_SERIES = 64;

export type ReadOptions = {
  /** Undefined: there are no pages. */
  readonly inPages: PagePartsOptions | undefined;
  /** Undefined: nothing of the range can have been downsampled. */
  readonly tiers: TierOptions | undefined;
};
export type SampleReader = {
  /** The samples of a series in the range, by its place in `ids`; once for each. */
  take(series: number): SeriesSamples;
  /** Values that were given so far may be overwritten. */
  reuse(): void;
};

/**
 * The samples of some series in the range. Rows first, then pages: what is packed meanwhile is in one
 * of them, because reading rows keeps their table from being emptied until the transaction ends.
 */
export async function readSamples(
  client: Client,
  ids: readonly bigint[],
  range: TimeRange,
  { inPages, tiers: tierOptions }: ReadOptions,
  signal: AbortSignal,
): Promise<SampleReader> {
  const collector = new SampleCollector(ids.length, ids.length * FIRST_PER_SERIES);
  const [from, to] = [int8(range.startMs), int8(range.endMs)];
  const seriesOf = lookUpOf(ids);
  const tiers = tierOptions && new TierParts(ids.length, range, tierOptions);
  const takeFrom = (own: (series: number) => SeriesSamples) =>
    tiers ? (series: number) => tiers.with(series, own(series)) : own;
  const rows = `SELECT i.n, s.time, s.value, s.start FROM unnest(${intArray(ids)}::int8[]) WITH ORDINALITY i (id, n)
    CROSS JOIN LATERAL (SELECT time, value, start FROM tenant_samples
      WHERE series = i.id AND time BETWEEN ${from} AND ${to} ORDER BY time, flush) s`;
  if (inPages || !tiers) await copyOut(client, rows, 4, collector, signal);
  else await readRowsAndTiers(client, rows, collector, tiers, { ids, seriesOf }, signal);
  collector.end();
  if (inPages) {
    const pages = new PageParts(ids.length, inPages);
    await readPages(client, pages, tiers, { ids, seriesOf, range }, signal);
    if (pages.samples > 0) {
      return { take: takeFrom((series) => pages.take(series, range, collector)), reuse: () => pages.reuse() };
    }
  }
  const arena = new SampleArena(collector);
  return { take: takeFrom((series) => assembleSeries(collector, series, range, arena)), reuse: () => {} };
}

/** What is downsampled meanwhile is in one of them, because one statement sees both as they were at one time. */
async function readRowsAndTiers(
  client: Client,
  rows: string,
  collector: SampleCollector,
  tiers: TierParts,
  { ids, seriesOf }: { readonly ids: readonly bigint[]; readonly seriesOf: SeriesLookUp },
  signal: AbortSignal,
): Promise<void> {
  const columns = "p.tier::int8, p.resolution, NULL::float8, NULL::int8, p.data";
  const sql = `(SELECT r.*, NULL::bytea FROM (${rows}) r) UNION ALL (${tiers.sql(columns, wantedOf(ids))})`;
  const sink = {
    row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
      const [at, length] = [offsets[4] as number, lengths[4] as number];
      if (length < 0) return collector.row(bytes, offsets, lengths);
      const number = (i: number) => readInt8(bytes, offsets[i] as number);
      tiers.add(number(0), number(1), bytes.subarray(at, at + length), seriesOf);
    },
  };
  await copyOut(client, sql, 5, sink, signal);
}

type ReadPages = {
  readonly ids: readonly bigint[];
  readonly seriesOf: SeriesLookUp;
  readonly range: TimeRange;
};

/** Pages, and what of them was downsampled: in one statement, as {@link readRowsAndTiers}. */
async function readPages(
  client: Client,
  pages: PageParts,
  tiers: TierParts | undefined,
  { ids, seriesOf, range: { startMs, endMs } }: ReadPages,
  signal: AbortSignal,
): Promise<void> {
  const wanted = wantedOf(ids);
  const asTheyCame = `SELECT ${AS_IT_CAME}::int8, 0::int8, p.data FROM ${wanted}
    JOIN pages p ON p.bucket = w.bucket AND p.first_series <= w.high AND p.last_series >= w.low
    WHERE p.time BETWEEN ${int8(startMs - MERGED_PAGE_MS)} AND ${int8(endMs)} AND p.last_time >= ${int8(startMs)}
    ORDER BY p.bucket, p.time`;
  const sql = tiers
    ? `(${asTheyCame}) UNION ALL (${tiers.sql("p.tier::int8, p.resolution, p.data", wanted)})`
    : asTheyCame;
  const sink = {
    row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
      const at = offsets[2] as number;
      const page = bytes.subarray(at, at + (lengths[2] as number));
      const tier = readInt8(bytes, offsets[0] as number);
      if (tier === AS_IT_CAME) pages.add(page, seriesOf);
      else tiers?.add(tier, readInt8(bytes, offsets[1] as number), page, seriesOf);
    },
  };
  await copyOut(client, sql, 3, sink, signal);
}

/** For a FROM clause: the ids of each metric among them. */
function wantedOf(ids: readonly bigint[]): string {
  const { buckets, lows, highs } = bucketRanges(ids);
  return `unnest(${intArray(buckets)}::int4[], ${intArray(lows)}::int8[], ${intArray(highs)}::int8[]) w (bucket, low, high)`;
}

function lookUpOf(ids: readonly bigint[]): SeriesLookUp {
  const numbers = new Map<number, Map<number, number>>();
  for (const [number, id] of ids.entries()) {
    const bucket = bucketOfId(id);
    let ofBucket = numbers.get(bucket);
    if (!ofBucket) {
      ofBucket = new Map();
      numbers.set(bucket, ofBucket);
    }
    ofBucket.set(restOfId(id), number);
  }
  return (bucket, rest) => numbers.get(bucket)?.get(rest);
}

/** The least and greatest id of each metric among them. */
function bucketRanges(ids: readonly bigint[]) {
  const ranges = new Map<number, { low: bigint; high: bigint }>();
  for (const id of ids) {
    const bucket = bucketOfId(id);
    const range = ranges.get(bucket);
    if (!range) ranges.set(bucket, { low: id, high: id });
    else if (id < range.low) range.low = id;
    else if (id > range.high) range.high = id;
  }
  const all = [...ranges];
  return {
    buckets: all.map(([bucket]) => bucket),
    lows: all.map(([, { low }]) => low),
    highs: all.map(([, { high }]) => high),
  };
}

export type ReadHistograms = {
  readonly timesMs: number[];
  readonly startsMs: number[];
  readonly values: NativeHistogram[];
};

/** Native histograms of some series, by their place in `ids`; ascending in time, of several at one time the first written. */
export async function readHistograms(
  client: Client,
  ids: readonly bigint[],
  { startMs, endMs }: TimeRange,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, ReadHistograms>> {
  const found = new Map<number, ReadHistograms>();
  const sql = `SELECT i.n, h.time, h.start, h.data FROM unnest(${intArray(ids)}::int8[]) WITH ORDINALITY i (id, n)
    CROSS JOIN LATERAL (SELECT time, start, data FROM tenant_histograms
      WHERE series = i.id AND time BETWEEN ${int8(startMs)} AND ${int8(endMs)} ORDER BY time, flush) h`;
  const sink = {
    row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
      const series = readInt8(bytes, offsets[0] as number) - 1;
      const timeMs = readInt8(bytes, offsets[1] as number);
      let histograms = found.get(series);
      if (!histograms) {
        histograms = { timesMs: [], startsMs: [], values: [] };
        found.set(series, histograms);
      }
      if (histograms.timesMs.at(-1) === timeMs) return;
      const data = offsets[3] as number;
      histograms.timesMs.push(timeMs);
      histograms.startsMs.push(readInt8(bytes, offsets[2] as number));
      histograms.values.push(decodeHistogram(bytes.subarray(data, data + (lengths[3] as number))));
    },
  };
  await copyOut(client, sql, 4, sink, signal);
  return found;
}

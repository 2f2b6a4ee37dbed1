import { type Downsampled, downsampleSeries } from "@sightline/model/downsampling/downsample-series.ts";
import { WINDOW_COLUMNS, type WindowColumn, type Windows } from "@sightline/model/downsampling/windows.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { int8Array } from "../../database/binary-array.ts";
import type { Client } from "../../database/database.ts";
import { int8 } from "../../database/sql-int8.ts";
import { DAY_MS } from "../days.ts";
import { mergedSeries, PAGES_LOCK } from "../pack-partition.ts";
import type { PageSeries } from "../page-codec.ts";
import { insertPages, replacePages, type StoredPage, storedPagesOf } from "../page-table.ts";
import { readSamples } from "../read-group.ts";
import { HAS_HISTOGRAMS } from "../series-cache.ts";
import { parseInfo } from "../series-text.ts";
import { TENANT_LOCK } from "../write-generation.ts";
import { STAYED, tierOf } from "./tier-columns.ts";

export type Slice = {
  readonly tenantNumber: number;
  /** Since 1970. */
  readonly day: number;
  readonly resolutionMs: number;
  /** Series up to this one have been done. */
  readonly after: bigint | undefined;
  readonly hasPages: boolean;
};
type Listed = { readonly id: bigint; readonly info: SeriesInfo };
/** What a series has of the day. */
type OfDay = { readonly resolutionMs: number; readonly samples: PageSeries; readonly windows: Windows | undefined };
type Place = Pick<Slice, "tenantNumber" | "hasPages"> & { readonly ids: readonly bigint[]; readonly range: TimeRange };

/** About a million samples of a scrape every 15 s. */
const SLICE_SERIES = 128;
const NEVER = new AbortController().signal;

/** The next series of a day. `last` undefined: there are no more. */
export async function downsampleSlice(
  client: Client,
  { tenantNumber, day, resolutionMs, after, hasPages }: Slice,
): Promise<{ readonly made: number; readonly hadSamples: boolean; readonly last: bigint | undefined }> {
  await client.query("SET LOCAL lock_timeout = 2000; SET LOCAL enable_seqscan = off");
  // Rows that are written between reading and deleting would be lost; to pages nobody else adds anything.
  if (!hasPages) await client.query("SELECT pg_advisory_xact_lock($1, $2)", [TENANT_LOCK, tenantNumber]);
  await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
  const { rows } = await client.query(
    `SELECT id, info, kinds FROM series WHERE tenant = $1 AND first_day <= $2 AND last_day >= $2 AND id > $3
     ORDER BY id LIMIT ${SLICE_SERIES}`,
    [tenantNumber, day, String(after ?? -1)],
  );
  const listed = rows
    .filter(({ kinds }) => (kinds & HAS_HISTOGRAMS) === 0)
    .map(({ id, info }): Listed => ({ id: BigInt(id), info: parseInfo(info) }));
  const range = { startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS - 1 };
  const place = { tenantNumber, hasPages, ids: listed.map(({ id }) => id), range };
  const last = rows.length === SLICE_SERIES ? BigInt(rows.at(-1)?.id) : undefined;
  if (listed.length === 0) return { made: 0, hadSamples: false, last };
  return { ...(await makeCoarser(client, place, listed, resolutionMs)), last };
}

async function makeCoarser(client: Client, place: Place, listed: readonly Listed[], resolutionMs: number) {
  const tierPages = await allPages(client, "tiers", place);
  const known = knownOf(tierPages);
  const { samples, pages } = await readAsTheyCame(client, place);
  const made = new Map<bigint, Downsampled>();
  for (const { id, info } of listed) {
    const before = known.get(id) ?? asItCame(samples.get(id));
    if (!before || before.resolutionMs >= resolutionMs) continue;
    const downsampled = downsampleSeries(info, before.samples, before.windows, resolutionMs);
    if (downsampled) made.set(id, downsampled);
  }
  const { tenantNumber } = place;
  const withoutMade = (series: PageSeries) => (made.has(series.id) ? undefined : series);
  await replacePages(client, { table: "tiers", tenantNumber }, tierPages, withoutMade);
  // What came late for a day that was downsampled stays as it came.
  const isReplaced = (id: bigint) => made.has(id) && !known.has(id);
  const withoutReplaced = (series: PageSeries) => (isReplaced(series.id) ? undefined : series);
  await replacePages(client, { table: "pages", tenantNumber }, pages, withoutReplaced);
  if (!place.hasPages) await deleteRows(client, { ...place, ids: place.ids.filter(isReplaced) });
  await insertTiers(client, tenantNumber, made, resolutionMs);
  return { made: made.size, hadSamples: known.size + samples.size > 0 };
}

async function allPages(client: Client, table: "pages" | "tiers", place: Place): Promise<StoredPage[]> {
  const all: StoredPage[] = [];
  for await (const pages of storedPagesOf(client, { table, ...place })) all.push(...pages);
  return all;
}

/** The samples as they came, and the pages that have them; rows, where there are none. */
async function readAsTheyCame(client: Client, place: Place) {
  const { ids, range, hasPages, tenantNumber } = place;
  if (hasPages) {
    const pages = await allPages(client, "pages", place);
    const wanted = new Set(ids);
    const own = pages.map(({ series }) => ({ series: series.filter(({ id }) => wanted.has(id)) }));
    return { samples: new Map(mergedSeries(own, []).map((series) => [series.id, series])), pages };
  }
  await client.query("SELECT set_config('app.tenant', $1, true)", [String(tenantNumber)]);
  const reader = await readSamples(client, ids, range, { inPages: undefined, tiers: undefined }, NEVER);
  const samples = new Map<bigint, PageSeries>();
  for (const [i, id] of ids.entries()) {
    const { timesMs, values, startsMs } = reader.take(i);
    if (timesMs.length > 0) samples.set(id, { id, timesMs, values, startsMs });
  }
  return { samples, pages: [] };
}

function asItCame(samples: PageSeries | undefined): OfDay | undefined {
  return samples && { resolutionMs: 0, samples, windows: undefined };
}

function knownOf(pages: readonly StoredPage[]): ReadonlyMap<bigint, OfDay> {
  const tiers = new Map<number, Map<bigint, PageSeries>>();
  const resolutions = new Map<bigint, number>();
  for (const { kind, series } of pages) {
    if (kind.table !== "tiers") continue;
    let ofTier = tiers.get(kind.tier);
    if (!ofTier) {
      ofTier = new Map();
      tiers.set(kind.tier, ofTier);
    }
    for (const one of series) {
      ofTier.set(one.id, one);
      resolutions.set(one.id, kind.resolutionMs);
    }
  }
  const known = new Map<bigint, OfDay>();
  for (const [id, samples] of tiers.get(STAYED) ?? []) {
    const column = (of: WindowColumn) => tiers.get(tierOf(of))?.get(id);
    const [counts, sums, mins, maxs] = [column("counts"), column("sums"), column("mins"), column("maxs")];
    const windows =
      counts && sums && mins && maxs
        ? { timesMs: counts.timesMs, counts: counts.values, sums: sums.values, mins: mins.values, maxs: maxs.values }
        : undefined;
    known.set(id, { resolutionMs: resolutions.get(id) as number, samples, windows });
  }
  return known;
}

async function deleteRows(client: Client, { ids, tenantNumber, range }: Place): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    `DELETE FROM samples WHERE series = ANY ($1::int8[]) AND tenant = $2
     AND time BETWEEN ${int8(range.startMs)} AND ${int8(range.endMs)}`,
    [int8Array(ids), tenantNumber],
  );
}

/** `made` in the order of ids. */
async function insertTiers(
  client: Client,
  tenantNumber: number,
  made: ReadonlyMap<bigint, Downsampled>,
  resolutionMs: number,
): Promise<void> {
  const insert = async (tier: number, columnOf: (of: Downsampled) => Omit<PageSeries, "id">) => {
    const all = Array.from(made, ([id, of]): PageSeries => ({ id, ...columnOf(of) }));
    const some = all.filter(({ timesMs }) => timesMs.length > 0);
    await insertPages(client, tenantNumber, some, { table: "tiers", tier, resolutionMs });
  };
  await insert(STAYED, ({ series: { timesMs, values, startsMs } }) => ({ timesMs, values, startsMs }));
  for (const column of WINDOW_COLUMNS) {
    await insert(tierOf(column), ({ windows: { timesMs, [column]: values } }) => ({
      timesMs,
      values,
      startsMs: undefined,
    }));
  }
}

import { byteaArray, int8Array } from "../database/binary-array.ts";
import { copyOut, intArray } from "../database/copy-out.ts";
import type { Client } from "../database/database.ts";
import { int8 } from "../database/sql-int8.ts";
import { decodeWholePage, encodePage, type PageSeries } from "./page-codec.ts";
import { MERGED_PAGE_MS, WINDOW_MS } from "./partitions.ts";
import { bucketOfId } from "./series-id.ts";

/** Enough for compression and few rows, and little to decode for a query that wants one series of them. */
const PAGE_SAMPLES = 8_192;
const PAGE_SERIES = 512;
/** Of longer time, they have more samples, but of fewer series. */
const LONG_PAGE_SAMPLES = 32_768;
const INSERT_PAGES = 200;
const PAGES_AT_ONCE = 100;

/**
 * What a page is. `pages` have samples as they came, of a window of {@link WINDOW_MS} or, merged, of one {@link MERGED_PAGE_MS};
 * `tiers` what is left of a day that was downsampled: one of the columns of TIER_COLUMNS (tiers/tier-columns.ts).
 */
export type PageKind =
  | { readonly table: "pages"; readonly merged: boolean }
  | { readonly table: "tiers"; readonly tier: number; readonly resolutionMs: number };
export type PageTable = PageKind["table"];
const AS_PACKED: PageKind = { table: "pages", merged: false };

/** A row of a table, and the series in it. */
export type StoredPage = { readonly kind: PageKind; readonly place: string; readonly series: readonly PageSeries[] };

/** How a page of each table is told by two numbers. */
const KIND_SQL: Readonly<Record<PageTable, string>> = {
  pages: "merged::int4::int8, 0::int8",
  tiers: "tier::int8, resolution",
};
const KINDS: Readonly<Record<PageTable, (first: number, second: number) => PageKind>> = {
  pages: (merged) => ({ table: "pages", merged: merged === 1 }),
  tiers: (tier, resolutionMs) => ({ table: "tiers", tier, resolutionMs }),
};

/** Pages of one tenant, merged ones among them, that may have samples of these series in a window of {@link WINDOW_MS}. */
export async function readStoredPages(
  client: Client,
  tenantNumber: number,
  windowStartMs: number,
  low: bigint,
  high: bigint,
): Promise<StoredPage[]> {
  const mergedStartMs = Math.floor(windowStartMs / MERGED_PAGE_MS) * MERGED_PAGE_MS;
  const where = `tenant = ${tenantNumber} AND bucket BETWEEN ${bucketOfId(low)} AND ${bucketOfId(high)}
    AND first_series <= ${high} AND last_series >= ${low}
    AND time BETWEEN ${int8(mergedStartMs)} AND ${int8(windowStartMs + WINDOW_MS - 1)} AND last_time >= ${int8(windowStartMs)}`;
  const found: StoredPage[] = [];
  await readEach(client, "pages", `SELECT ${columnsOf("pages")} FROM pages p WHERE ${where}`, (page) =>
    found.push(page),
  );
  return found;
}

/** Which pages: those that may have samples of some series of a tenant in the range. `ids` ascend. */
export type WantedPages = {
  readonly table: PageTable;
  readonly tenantNumber: number;
  readonly ids: readonly bigint[];
  readonly range: { readonly startMs: number; readonly endMs: number };
};

/** Pages with some of the series, the newest first, some at a time; those of the beginning. */
export async function* storedPagesOf(client: Client, wanted: WantedPages): AsyncGenerator<StoredPage[]> {
  const { table, tenantNumber, ids, range } = wanted;
  if (ids.length === 0) return;
  const { rows } = await client.query(
    `SELECT tableoid::int8 AS oid, ctid::text AS place FROM ${table}
     WHERE bucket = ANY ($1) AND tenant = $2 AND first_series <= $3 AND last_series >= $4
     AND time <= ${int8(range.endMs)} AND last_time >= ${int8(range.startMs)} ORDER BY time DESC`,
    [[...new Set(ids.map(bucketOfId))], tenantNumber, String(ids.at(-1)), String(ids[0])],
  );
  const known = new Set(ids);
  for (let from = 0; from < rows.length; from += PAGES_AT_ONCE) {
    const some = rows.slice(from, from + PAGES_AT_ONCE);
    const oids = intArray(some.map(({ oid }) => BigInt(oid)));
    const tids = `'{${some.map(({ place }) => `"${place}"`).join(",")}}'`;
    const sql = `SELECT ${columnsOf(table)} FROM unnest(${oids}::int8[], ${tids}::tid[]) u (oid, place)
      JOIN ${table} p ON p.ctid = u.place AND p.tableoid::int8 = u.oid`;
    const pages: StoredPage[] = [];
    await readEach(client, table, sql, (page) => {
      if (page.series.some(({ id }) => known.has(id))) pages.push(page);
    });
    if (pages.length > 0) yield pages;
  }
}

function columnsOf(table: PageTable): string {
  return `p.tableoid::int8, p.ctid::text, p.data, ${KIND_SQL[table]}`;
}

async function readEach(
  client: Client,
  table: PageTable,
  sql: string,
  take: (page: StoredPage) => void,
): Promise<void> {
  const sink = {
    row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
      const field = (i: number) =>
        bytes.subarray(offsets[i] as number, (offsets[i] as number) + (lengths[i] as number));
      const number = (i: number) => Number(field(i).readBigInt64BE());
      take({
        kind: KINDS[table](number(3), number(4)),
        place: `${field(0).readBigInt64BE()} ${field(1).toString()}`,
        series: decodeWholePage(field(2)),
      });
    },
  };
  await copyOut(client, sql, 5, sink, undefined);
}

/**
 * Writes pages anew with what `edit` leaves of each series of them, undefined: nothing; it gives back the same object where all
 * stays. In a transaction with PAGES_LOCK. Returns how many samples went.
 */
export async function rewritePages(
  client: Client,
  wanted: WantedPages,
  edit: (series: PageSeries) => PageSeries | undefined,
): Promise<number> {
  let gone = 0;
  for await (const pages of storedPagesOf(client, wanted)) gone += await replacePages(client, wanted, pages, edit);
  return gone;
}

/** {@link rewritePages} for pages of the same transaction. */
export async function replacePages(
  client: Client,
  { table, tenantNumber }: Pick<WantedPages, "table" | "tenantNumber">,
  pages: readonly StoredPage[],
  edit: (series: PageSeries) => PageSeries | undefined,
): Promise<number> {
  const changed = pages.flatMap((page) => {
    const left = page.series.map(edit).filter((series) => series !== undefined);
    const isSame = left.length === page.series.length && left.every((series, i) => series === page.series[i]);
    return isSame ? [] : [{ page, left }];
  });
  const places = changed.map(({ page }) => page);
  await deleteStoredPages(client, places, table);
  let gone = 0;
  for (const { page, left } of changed) {
    gone += samplesOf(page.series) - samplesOf(left);
    await insertPages(client, tenantNumber, left, page.kind);
  }
  return gone;
}

function samplesOf(series: readonly PageSeries[]): number {
  return series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
}

/** In the transaction that read them, while nobody else rewrites pages. */
export async function deleteStoredPages(
  client: Client,
  pages: readonly Pick<StoredPage, "place">[],
  table: PageTable = "pages",
): Promise<void> {
  if (pages.length === 0) return;
  const places = pages.map(({ place }) => place.split(" ") as [string, string]);
  await client.query(
    `DELETE FROM ${table} p USING unnest($1::int8[], $2::tid[]) AS u (oid, place)
     WHERE p.tableoid::int8 = u.oid AND p.ctid = u.place`,
    [int8Array(places.map(([oid]) => BigInt(oid))), places.map(([, place]) => place)],
  );
}

/** `series` of one tenant, ascending by id, and of one page's time, which depends on its kind. */
export async function insertPages(
  client: Client,
  tenantNumber: number,
  series: readonly PageSeries[],
  kind: PageKind = AS_PACKED,
): Promise<void> {
  const isLong = kind.table === "tiers" || kind.merged;
  const groups = inPages(series, isLong ? LONG_PAGE_SAMPLES : PAGE_SAMPLES);
  const [columns, values] =
    kind.table === "pages" ? ["merged", kind.merged] : ["tier, resolution", `${kind.tier}, ${kind.resolutionMs}`];
  for (let from = 0; from < groups.length; from += INSERT_PAGES) {
    const some = groups.slice(from, from + INSERT_PAGES);
    const first = (group: readonly PageSeries[]) => (group[0] as PageSeries).id;
    const numbers = (of: (group: readonly PageSeries[]) => number | bigint) => int8Array(some.map(of));
    await client.query(
      `INSERT INTO ${kind.table} (${columns}, tenant, bucket, first_series, last_series, time, last_time, samples, data)
       SELECT ${values}, $1, u.* FROM unnest($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::bytea[]) u`,
      [
        tenantNumber,
        numbers((group) => bucketOfId(first(group))),
        numbers(first),
        numbers((group) => (group.at(-1) as PageSeries).id),
        numbers((group) => Math.min(...group.map(({ timesMs }) => timesMs[0] as number))),
        numbers((group) => Math.max(...group.map(({ timesMs }) => timesMs.at(-1) as number))),
        numbers(samplesOf),
        byteaArray(some.map(encodePage)),
      ],
    );
  }
}

/** A page has series of one metric. */
function inPages(series: readonly PageSeries[], maxSamples: number): PageSeries[][] {
  const pages: PageSeries[][] = [];
  let open: PageSeries[] = [];
  let samples = 0;
  for (const one of series) {
    const isOther = open.length > 0 && bucketOfId((open[0] as PageSeries).id) !== bucketOfId(one.id);
    if (isOther || samples >= maxSamples || open.length >= PAGE_SERIES) {
      pages.push(open);
      open = [];
      samples = 0;
    }
    open.push(one);
    samples += one.timesMs.length;
  }
  if (open.length > 0) pages.push(open);
  return pages;
}

import { byteaArray, int8Array } from "../database/binary-array.ts";
import { copyOut } from "../database/copy-out.ts";
import type { Client } from "../database/database.ts";
import { decodeWholePage, encodePage, type PageSeries } from "./page-codec.ts";
import { MERGED_PAGE_MS, WINDOW_MS } from "./partitions.ts";
import { int8 } from "./read-group.ts";
import { bucketOfId } from "./series-id.ts";

/** Enough for compression and few rows, and little to decode for a query that wants one series of them. */
const PAGE_SAMPLES = 8_192;
const PAGE_SERIES = 512;
/** Merged ones have more samples, but of fewer series. */
const MERGED_PAGE_SAMPLES = 32_768;
const INSERT_PAGES = 200;

/** A row of the table, and the series in it. */
export type StoredPage = { readonly place: string; readonly series: readonly PageSeries[] };

/** Pages of one tenant, merged ones among them, that may have samples of these series in a window of {@link WINDOW_MS}. */
export async function readStoredPages(
  client: Client,
  tenantNumber: number,
  windowStartMs: number,
  low: bigint,
  high: bigint,
): Promise<StoredPage[]> {
  const found: StoredPage[] = [];
  const mergedStartMs = Math.floor(windowStartMs / MERGED_PAGE_MS) * MERGED_PAGE_MS;
  const sql = `SELECT tableoid::int8, ctid::text, data FROM pages
    WHERE tenant = ${tenantNumber} AND bucket BETWEEN ${bucketOfId(low)} AND ${bucketOfId(high)}
    AND first_series <= ${high} AND last_series >= ${low}
    AND time BETWEEN ${int8(mergedStartMs)} AND ${int8(windowStartMs + WINDOW_MS - 1)} AND last_time >= ${int8(windowStartMs)}`;
  const sink = {
    row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
      const field = (i: number) =>
        bytes.subarray(offsets[i] as number, (offsets[i] as number) + (lengths[i] as number));
      found.push({
        place: `${field(0).readBigInt64BE()} ${field(1).toString()}`,
        series: decodeWholePage(field(2)),
      });
    },
  };
  await copyOut(client, sql, 3, sink, undefined);
  return found;
}

/** In the transaction that read them, while nobody else rewrites pages. */
export async function deleteStoredPages(client: Client, pages: readonly Pick<StoredPage, "place">[]): Promise<void> {
  if (pages.length === 0) return;
  const places = pages.map(({ place }) => place.split(" ") as [string, string]);
  await client.query(
    `DELETE FROM pages p USING unnest($1::int8[], $2::tid[]) AS u (oid, place)
     WHERE p.tableoid::int8 = u.oid AND p.ctid = u.place`,
    [int8Array(places.map(([oid]) => BigInt(oid))), places.map(([, place]) => place)],
  );
}

/** `series` of one tenant, ascending by id, and of one window; `merged`: of one {@link MERGED_PAGE_MS}. */
export async function insertPages(
  client: Client,
  tenantNumber: number,
  series: readonly PageSeries[],
  { merged = false }: { readonly merged?: boolean } = {},
): Promise<void> {
  const groups = inPages(series, merged ? MERGED_PAGE_SAMPLES : PAGE_SAMPLES);
  for (let from = 0; from < groups.length; from += INSERT_PAGES) {
    const some = groups.slice(from, from + INSERT_PAGES);
    const first = (group: readonly PageSeries[]) => (group[0] as PageSeries).id;
    const numbers = (of: (group: readonly PageSeries[]) => number | bigint) => int8Array(some.map(of));
    await client.query(
      `INSERT INTO pages (merged, tenant, bucket, first_series, last_series, time, last_time, samples, data)
       SELECT ${merged}, $1, u.* FROM unnest($2::int8[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::bytea[]) u`,
      [
        tenantNumber,
        numbers((group) => bucketOfId(first(group))),
        numbers(first),
        numbers((group) => (group.at(-1) as PageSeries).id),
        numbers((group) => Math.min(...group.map(({ timesMs }) => timesMs[0] as number))),
        numbers((group) => Math.max(...group.map(({ timesMs }) => timesMs.at(-1) as number))),
        numbers((group) => group.reduce((sum, { timesMs }) => sum + timesMs.length, 0)),
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

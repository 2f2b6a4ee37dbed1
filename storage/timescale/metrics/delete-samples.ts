import { compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { int8Array } from "../database/binary-array.ts";
import { copyOut, intArray } from "../database/copy-out.ts";
import type { Client, Database } from "../database/database.ts";
import { NO_DAY } from "./days.ts";
import { findSeries } from "./find-series.ts";
import { PAGES_LOCK } from "./pack-partition.ts";
import { decodeWholePage, type PageSeries } from "./page-codec.ts";
import { deleteStoredPages, insertPages, type StoredPage } from "./page-table.ts";
import { int8 } from "./read-group.ts";
import { bucketOfId } from "./series-id.ts";
import { minuteOf, noteChanges } from "./stored-changes.ts";
import { TENANT_LOCK } from "./write-generation.ts";

export type SampleDeletion = {
  readonly tenant: TenantId;
  readonly tenantNumber: number;
  readonly matchers: readonly Matcher[];
  readonly range: TimeRange;
  readonly hasPages: boolean;
};
type Deletion = SampleDeletion & { readonly ids: readonly bigint[] };

const PAGES_AT_ONCE = 100;
const NEVER = new AbortController().signal;

/** In one transaction, while nobody writes samples of this tenant or rewrites pages. Throws `InvalidInputError`. */
export async function deleteSamples(database: Database, deletion: SampleDeletion): Promise<void> {
  const { tenant, tenantNumber, matchers, range, hasPages } = deletion;
  compileMatchers(matchers);
  if (range.startMs > range.endMs) return;
  await database.transaction("deleting samples", async (client) => {
    await client.query("SELECT pg_advisory_xact_lock($1, $2)", [TENANT_LOCK, tenantNumber]);
    if (hasPages) await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
    // Writers that see another number forget what they know of this tenant's samples.
    await client.query("UPDATE tenants SET deletions = deletions + 1 WHERE id = $1", [tenantNumber]);
    await client.query("SELECT set_config('app.tenant', $1, true)", [String(tenantNumber)]);
    const series = await findSeries(client, tenant, matchers, range, NEVER);
    const ids = series.map(({ id }) => id);
    if (ids.length === 0) return;
    await noteChanges(client, tenantNumber, [{ first: minuteOf(range.startMs), last: minuteOf(range.endMs) }]);
    for (const table of ["samples", "histograms"]) {
      await client.query(
        `DELETE FROM ${table} WHERE series = ANY ($1::int8[]) AND tenant = $2
         AND time BETWEEN ${int8(range.startMs)} AND ${int8(range.endMs)}`,
        [int8Array(ids), tenantNumber],
      );
    }
    if (hasPages) await deleteFromPages(client, { ...deletion, ids });
    await unlistEmpty(client, { ...deletion, ids });
  });
}

async function deleteFromPages(client: Client, deletion: Deletion): Promise<void> {
  const { range, ids, tenantNumber } = deletion;
  const wanted = new Set(ids);
  for await (const pages of pagesOf(client, deletion, range)) {
    await deleteStoredPages(client, pages);
    for (const { series } of pages) {
      const left = series
        .map((one) => (wanted.has(one.id) ? without(one, range) : one))
        .filter(({ timesMs }) => timesMs.length > 0);
      if (left.length > 0) await insertPages(client, tenantNumber, left);
    }
  }
}

function without({ id, timesMs, values, startsMs }: PageSeries, { startMs, endMs }: TimeRange): PageSeries {
  let from = 0;
  while (from < timesMs.length && (timesMs[from] as number) < startMs) from++;
  let to = from;
  while (to < timesMs.length && (timesMs[to] as number) <= endMs) to++;
  const cut = (from_: Float64Array) => {
    const out = new Float64Array(timesMs.length - (to - from));
    out.set(from_.subarray(0, from));
    out.set(from_.subarray(to), from);
    return out;
  };
  return { id, timesMs: cut(timesMs), values: cut(values), startsMs: startsMs && cut(startsMs) };
}

/** Series of which nothing is left are in no list any more. */
async function unlistEmpty(client: Client, deletion: Deletion): Promise<void> {
  const { ids, tenantNumber, hasPages } = deletion;
  const { rows } = await client.query(
    `SELECT i.id FROM unnest($1::int8[]) i (id)
     WHERE NOT EXISTS (SELECT FROM samples s WHERE s.series = i.id AND s.tenant = $2)
     AND NOT EXISTS (SELECT FROM histograms h WHERE h.series = i.id AND h.tenant = $2)`,
    [int8Array(ids), tenantNumber],
  );
  const empty = new Set(rows.map(({ id }) => BigInt(id)));
  if (hasPages && empty.size > 0) {
    const all = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };
    for await (const pages of pagesOf(client, { ...deletion, ids: [...empty] }, all)) {
      for (const { series } of pages) for (const { id } of series) empty.delete(id);
      if (empty.size === 0) return;
    }
  }
  await client.query("UPDATE series SET first_day = $3, last_day = $4 WHERE tenant = $1 AND id = ANY ($2::int8[])", [
    tenantNumber,
    int8Array([...empty]),
    NO_DAY,
    -NO_DAY,
  ]);
}

/** Pages that may have some of the series in the range, the newest first, some at a time; those of the beginning. */
async function* pagesOf(
  client: Client,
  { tenantNumber, ids }: Deletion,
  { startMs, endMs }: TimeRange,
): AsyncIterable<StoredPage[]> {
  const buckets = [...new Set(ids.map(bucketOfId))];
  const { rows } = await client.query(
    `SELECT tableoid::int8 AS oid, ctid::text AS place FROM pages
     WHERE bucket = ANY ($1) AND tenant = $2 AND time <= ${int8(endMs)} AND last_time >= ${int8(startMs)}
     ORDER BY time DESC`,
    [buckets, tenantNumber],
  );
  const wanted = new Set(ids);
  for (let from = 0; from < rows.length; from += PAGES_AT_ONCE) {
    const some = rows.slice(from, from + PAGES_AT_ONCE);
    const pages: StoredPage[] = [];
    const sink = {
      row: (bytes: Buffer, offsets: Int32Array, lengths: Int32Array) => {
        const field = (i: number) =>
          bytes.subarray(offsets[i] as number, (offsets[i] as number) + (lengths[i] as number));
        const series = decodeWholePage(field(2));
        if (!series.some(({ id }) => wanted.has(id))) return;
        pages.push({ place: `${field(0).readBigInt64BE()} ${field(1).toString()}`, series });
      },
    };
    const oids = intArray(some.map(({ oid }) => BigInt(oid)));
    const tids = `'{${some.map(({ place }) => `"${place}"`).join(",")}}'`;
    await copyOut(
      client,
      `SELECT p.tableoid::int8, p.ctid::text, p.data FROM unnest(${oids}::int8[], ${tids}::tid[]) u (oid, place)
       JOIN pages p ON p.ctid = u.place AND p.tableoid::int8 = u.oid`,
      3,
      sink,
      undefined,
    );
    if (pages.length > 0) yield pages;
  }
}

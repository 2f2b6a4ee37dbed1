import { compileMatchers, type Matcher } from "@sightline/model/matcher.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { int8Array } from "../database/binary-array.ts";
import type { Client, Database } from "../database/database.ts";
import { int8 } from "../database/sql-int8.ts";
import { NO_DAY } from "./days.ts";
import { findSeries } from "./find-series.ts";
import { minuteOf } from "./minute-ranges.ts";
import { PAGES_LOCK } from "./pack-partition.ts";
import type { PageSeries } from "./page-codec.ts";
import { type PageTable, rewritePages, storedPagesOf } from "./page-table.ts";
import { noteChanges } from "./stored-changes.ts";
import { TENANT_LOCK } from "./write-generation.ts";

export type SampleDeletion = {
  readonly tenant: TenantId;
  readonly tenantNumber: number;
  readonly matchers: readonly Matcher[];
  readonly range: TimeRange;
  readonly hasPages: boolean;
};

const EVER: TimeRange = { startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY };
const NEVER = new AbortController().signal;

/** In one transaction, while nobody writes samples of this tenant or rewrites pages. Throws `InvalidInputError`. */
export async function deleteSamples(database: Database, deletion: SampleDeletion): Promise<void> {
  const { tenant, tenantNumber, matchers, range, hasPages } = deletion;
  const tables: readonly PageTable[] = hasPages ? ["pages", "tiers"] : ["tiers"];
  compileMatchers(matchers);
  if (range.startMs > range.endMs) return;
  await database.transaction("deleting samples", async (client) => {
    await client.query("SELECT pg_advisory_xact_lock($1, $2)", [TENANT_LOCK, tenantNumber]);
    await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
    // Writers that see another number forget what they know of this tenant's samples.
    await client.query("UPDATE tenants SET deletions = deletions + 1 WHERE id = $1", [tenantNumber]);
    await client.query("SELECT set_config('app.tenant', $1, true)", [String(tenantNumber)]);
    const series = await findSeries(client, tenant, matchers, range, NEVER);
    const ids = series.map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1));
    if (ids.length === 0) return;
    await noteChanges(client, tenantNumber, [{ first: minuteOf(range.startMs), last: minuteOf(range.endMs) }]);
    for (const table of ["samples", "histograms"]) {
      await client.query(
        `DELETE FROM ${table} WHERE series = ANY ($1::int8[]) AND tenant = $2
         AND time BETWEEN ${int8(range.startMs)} AND ${int8(range.endMs)}`,
        [int8Array(ids), tenantNumber],
      );
    }
    const wanted = new Set(ids);
    const edit = (one: PageSeries) => (wanted.has(one.id) ? withoutRange(one, range) : one);
    for (const table of tables) await rewritePages(client, { table, tenantNumber, ids, range }, edit);
    await unlistEmpty(client, tenantNumber, ids, tables);
  });
}

/** What is left of a series; the same object when that is all of it, undefined when it is nothing. */
export function withoutRange(series: PageSeries, { startMs, endMs }: TimeRange): PageSeries | undefined {
  const { id, timesMs, values, startsMs } = series;
  let from = 0;
  while (from < timesMs.length && (timesMs[from] as number) < startMs) from++;
  let to = from;
  while (to < timesMs.length && (timesMs[to] as number) <= endMs) to++;
  if (from === to) return series;
  if (to - from === timesMs.length) return undefined;
  const cut = (from_: Float64Array) => {
    const out = new Float64Array(timesMs.length - (to - from));
    out.set(from_.subarray(0, from));
    out.set(from_.subarray(to), from);
    return out;
  };
  return { id, timesMs: cut(timesMs), values: cut(values), startsMs: startsMs && cut(startsMs) };
}

/** Series of which nothing is left are in no list any more. */
async function unlistEmpty(
  client: Client,
  tenantNumber: number,
  ids: readonly bigint[],
  tables: readonly PageTable[],
): Promise<void> {
  const { rows } = await client.query(
    `SELECT i.id FROM unnest($1::int8[]) i (id)
     WHERE NOT EXISTS (SELECT FROM samples s WHERE s.series = i.id AND s.tenant = $2)
     AND NOT EXISTS (SELECT FROM histograms h WHERE h.series = i.id AND h.tenant = $2)`,
    [int8Array(ids), tenantNumber],
  );
  const empty = new Set(rows.map(({ id }) => BigInt(id)));
  for (const table of tables) {
    const left = ids.filter((id) => empty.has(id));
    for await (const pages of storedPagesOf(client, { table, tenantNumber, ids: left, range: EVER })) {
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

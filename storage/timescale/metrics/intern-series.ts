import type { TenantId } from "@sightline/model/tenant.ts";
import { byteaArray, int8Array } from "../database/binary-array.ts";
import type { Client } from "../database/database.ts";
import type { SeriesEntry, SeriesSummary } from "./series-cache.ts";
import { nameHash, nextId, pairHash, seriesIdentity } from "./series-id.ts";
import { formatInfo, formatLabelPairs } from "./series-text.ts";

const BATCH = 5_000;
/** So often in a row an id may belong to another series of the same metric. */
const MAX_PROBES = 50;

type Wanted = { readonly summary: SeriesSummary; id: bigint; readonly digest: bigint };

/**
 * Tells the database of series that are new, or have other info, days or kinds than it knows. Sets `entry.id` at once: ids are
 * the same whoever finds them, but that the database has them is true only once the transaction is committed. Rows are
 * written in the order of their ids, so that two writers can not deadlock.
 */
export async function internSeries(
  client: Client,
  tenant: TenantId,
  tenantNumber: number,
  entries: readonly SeriesSummary[],
): Promise<void> {
  for (let from = 0; from < entries.length; from += BATCH) {
    let open: Wanted[] = entries.slice(from, from + BATCH).map((summary) => {
      const { id, digest } = seriesIdentity(tenant, summary.entry.labels);
      return { summary, id: summary.entry.id ?? id, digest };
    });
    for (let probe = 0; open.length > 0; probe++) {
      if (probe > MAX_PROBES) throw new Error(`${MAX_PROBES} series ids in a row are taken in tenant ${tenant}`);
      const taken = await upsert(client, tenant, tenantNumber, withDistinctIds(open));
      for (const { summary, id, digest } of open) if (taken.get(id) === digest) summary.entry.id = id;
      open = open.filter(({ id, digest }) => taken.get(id) !== digest);
      for (const wanted of open) wanted.id = nextId(wanted.id);
    }
  }
}

/** One statement may not touch a row twice. */
function withDistinctIds(wanted: readonly Wanted[]): Wanted[] {
  const seen = new Set<bigint>();
  return wanted.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** Digests by id of the rows that are ours now. */
async function upsert(
  client: Client,
  tenant: TenantId,
  tenantNumber: number,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<bigint, bigint>> {
  const texts = (of: (wanted: Wanted) => string) => byteaArray(wanted.map((one) => Buffer.from(of(one))));
  const { rows } = await client.query(
    `INSERT INTO series AS s (tenant, id, digest, labels, info, pairs, kinds, first_day, last_day)
     SELECT $1, u.id, u.digest, convert_from(u.labels, 'UTF8'), convert_from(u.info, 'UTF8'),
       convert_from(u.pairs, 'UTF8')::int8[], u.kinds, u.first_day, u.last_day
     FROM unnest($2::int8[], $3::int8[], $4::bytea[], $5::bytea[], $6::bytea[], $7::int8[], $8::int8[], $9::int8[])
       AS u (id, digest, labels, info, pairs, kinds, first_day, last_day)
     ORDER BY u.id
     ON CONFLICT (tenant, id) DO UPDATE SET info = excluded.info, kinds = s.kinds | excluded.kinds,
       first_day = least(s.first_day, excluded.first_day), last_day = greatest(s.last_day, excluded.last_day)
     WHERE s.digest = excluded.digest
     RETURNING id, digest`,
    [
      tenantNumber,
      int8Array(wanted.map(({ id }) => id)),
      int8Array(wanted.map(({ digest }) => digest)),
      texts(({ summary }) => formatLabelPairs(summary.entry.labels)),
      texts(({ summary }) => formatInfo(summary.info)),
      texts(({ summary }) => `{${hashesOf(tenant, summary.entry).join(",")}}`),
      int8Array(wanted.map(({ summary }) => summary.kinds)),
      int8Array(wanted.map(({ summary }) => summary.firstDay)),
      int8Array(wanted.map(({ summary }) => summary.lastDay)),
    ],
  );
  return new Map(rows.map(({ id, digest }) => [BigInt(id), BigInt(digest)]));
}

function hashesOf(tenant: TenantId, { labels }: SeriesEntry): bigint[] {
  return labels.flatMap((label) => [pairHash(tenant, label), nameHash(tenant, label[0])]);
}

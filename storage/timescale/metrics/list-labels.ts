import type { Label } from "@sightline/model/labels.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Client } from "../database/database.ts";
import { dayOf } from "./days.ts";
import { nameHash } from "./series-id.ts";

const OWN = "tenant = current_setting('app.tenant')::int4";
const OF_RANGE = "first_day <= $2 AND last_day >= $1";
/** Goes from name to name in the index, whatever the number of values. */
const NAMES_SQL = `WITH RECURSIVE names AS (
    (SELECT name_hash FROM labels WHERE ${OWN} ORDER BY name_hash LIMIT 1)
    UNION ALL
    SELECT (SELECT l.name_hash FROM labels l WHERE l.${OWN} AND l.name_hash > n.name_hash ORDER BY l.name_hash LIMIT 1)
    FROM names n WHERE n.name_hash IS NOT NULL
  )
  SELECT l.label FROM names n CROSS JOIN LATERAL
    (SELECT label FROM labels WHERE ${OWN} AND name_hash = n.name_hash AND ${OF_RANGE} LIMIT 1) l`;
const VALUES_SQL = `SELECT label FROM labels WHERE ${OWN} AND name_hash = $3 AND ${OF_RANGE}`;

/** Sorted names of the labels of all series of the tenant (that of `app.tenant`) that may have samples in the range. */
export async function listLabelNames(client: Client, range: TimeRange): Promise<string[]> {
  const labels = await readLabels(client, NAMES_SQL, range, []);
  return labels.map(([name]) => name).sort();
}

/** As {@link listLabelNames}, the values of one label. */
export async function listLabelValues(
  client: Client,
  tenant: TenantId,
  name: string,
  range: TimeRange,
): Promise<string[]> {
  const labels = await readLabels(client, VALUES_SQL, range, [nameHash(tenant, name).toString()]);
  const own = labels.filter((label) => label[0] === name);
  return own.map(([, value]) => value).sort();
}

async function readLabels(
  client: Client,
  text: string,
  { startMs, endMs }: TimeRange,
  values: readonly string[],
): Promise<Label[]> {
  const { rows } = await client.query({
    text,
    values: [dayOf(startMs), dayOf(endMs), ...values],
    rowMode: "array",
  });
  return rows.map(([label]) => JSON.parse(label) as Label);
}

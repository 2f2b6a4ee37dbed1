import type { Database } from "../database/database.ts";
import { TENANT_LOCK } from "./write-generation.ts";

/** In one transaction, for which writers of their tenant wait. */
const BATCH = 2_000;
const IS_OLD = `s.last_day < $1 AND NOT EXISTS (SELECT FROM exemplars e WHERE e.tenant = s.tenant AND e.series = s.id)`;

/** Removes series that had their last sample before the day and have no exemplars. One that comes back is written anew. */
export async function forgetSeries(database: Database, day: number): Promise<void> {
  const { rows } = await database.write("looking for old series", (client) =>
    client.query(`SELECT DISTINCT s.tenant FROM series s WHERE ${IS_OLD}`, [day]),
  );
  for (const { tenant } of rows) {
    let removed: number;
    do {
      removed = await database.transaction("forgetting series", async (client) => {
        await client.query("SELECT pg_advisory_xact_lock($1, $2)", [TENANT_LOCK, tenant]);
        const { rowCount } = await client.query(
          `DELETE FROM series WHERE tenant = $2 AND id IN (SELECT s.id FROM series s WHERE s.tenant = $2 AND ${IS_OLD} LIMIT ${BATCH})`,
          [day, tenant],
        );
        return rowCount ?? 0;
      });
    } while (removed === BATCH);
  }
}

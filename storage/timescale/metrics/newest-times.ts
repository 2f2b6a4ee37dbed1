import type { TenantId } from "@sightline/model/tenant.ts";
import type { Database } from "../database/database.ts";
import { MINUTE_MS } from "./minute-ranges.ts";

/** What bears on samples of any time ends later. */
const LAST_MINUTE = 1_000_000_000;
const SQL = `SELECT t.name, max(c.last_minute)::float8 AS minute FROM changes c JOIN tenants t ON t.id = c.tenant
  WHERE c.last_minute < ${LAST_MINUTE} GROUP BY 1`;

/** Of each tenant whose samples changed in the last day, the end of the newest minute of those, `nowMs` at most. */
export async function newestTimes(
  database: Database,
  nowMs: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<TenantId, number>> {
  const rows = await database.ask<{ name: TenantId; minute: number }>("looking for newest samples", SQL, [], signal);
  return new Map(rows.map(({ name, minute }) => [name, Math.min(nowMs, (minute + 1) * MINUTE_MS - 1)]));
}

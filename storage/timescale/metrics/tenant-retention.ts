import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimescaleMetricsConfig } from "../config.ts";
import type { Client, Database } from "../database/database.ts";
import { DAY_MS } from "./days.ts";
import { PAGES_LOCK } from "./pack-partition.ts";
import { int8 } from "./read-group.ts";
import { minuteOf, noteChanges } from "./stored-changes.ts";

type RetentionConfig = Pick<TimescaleMetricsConfig, "retention" | "tenant_retention">;

/** How long the samples of a tenant are kept, in ms. */
export function retentionOf({ retention, tenant_retention }: RetentionConfig, tenant: TenantId): number {
  return tenant_retention[tenant] ?? retention;
}

/** Of any tenant: what is older is nobody's any more. */
export function longestRetention({ retention, tenant_retention }: RetentionConfig): number {
  return Math.max(retention, ...Object.values(tenant_retention));
}

/** Deletes what tenants keep for a shorter time than others. Each day once, as far as this process knows. */
export class TenantRetention {
  readonly #config: RetentionConfig;
  /** Start of the first day that the tenant still has. */
  readonly #keptFromMs = new Map<number, number>();

  constructor(config: RetentionConfig) {
    this.#config = config;
  }

  async apply(database: Database, tables: readonly string[], nowMs: number): Promise<void> {
    const longestMs = longestRetention(this.#config);
    if (Object.keys(this.#config.tenant_retention).length === 0) return;
    const { rows } = await database.write("listing tenants", (client) => client.query("SELECT id, name FROM tenants"));
    for (const { id, name } of rows as { id: number; name: TenantId }[]) {
      const keptMs = retentionOf(this.#config, name);
      const fromMs = Math.floor((nowMs - keptMs) / DAY_MS) * DAY_MS;
      if (keptMs === longestMs || this.#keptFromMs.get(id) === fromMs) continue;
      await database.transaction(`deleting what ${name} does not keep`, (client) =>
        deleteBefore(client, tables, id, fromMs),
      );
      this.#keptFromMs.set(id, fromMs);
    }
  }
}

async function deleteBefore(client: Client, tables: readonly string[], tenant: number, endMs: number): Promise<void> {
  // Whoever rewrites pages knows them by their places.
  await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
  let deleted = 0;
  for (const table of tables) {
    const { rowCount } = await client.query(`DELETE FROM ${table} WHERE tenant = $1 AND time < ${int8(endMs)}`, [
      tenant,
    ]);
    deleted += rowCount ?? 0;
  }
  const first = minuteOf(Number.NEGATIVE_INFINITY);
  if (deleted > 0) await noteChanges(client, tenant, [{ first, last: minuteOf(endMs) }]);
}

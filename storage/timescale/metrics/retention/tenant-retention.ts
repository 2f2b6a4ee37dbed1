import type { TenantId } from "@sightline/model/tenant.ts";
import type { Client, Database } from "../../database/database.ts";
import { int8 } from "../../database/sql-int8.ts";
import { DAY_MS } from "../days.ts";
import { minuteOf } from "../minute-ranges.ts";
import { PAGES_LOCK } from "../pack-partition.ts";
import { noteChanges } from "../stored-changes.ts";
import type { Retention } from "./retention.ts";

/** Deletes what tenants keep for a shorter time than others. Each day once, as far as this process knows. */
export class TenantRetention {
  readonly #retention: Retention;
  /** Start of the first day that the tenant still has. */
  readonly #keptFromMs = new Map<number, number>();

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  /** Returns how many samples went, histograms among them. */
  async apply(database: Database, tables: readonly string[]): Promise<number> {
    const { nowMs, longestMs, hasExceptions } = this.#retention;
    if (!hasExceptions) return 0;
    const { rows } = await database.write("listing tenants", (client) => client.query("SELECT id, name FROM tenants"));
    let deleted = 0;
    for (const { id, name } of rows as { id: number; name: TenantId }[]) {
      const keptMs = this.#retention.of(name).longestMs;
      const fromMs = Math.floor((nowMs - keptMs) / DAY_MS) * DAY_MS;
      if (keptMs === longestMs || this.#keptFromMs.get(id) === fromMs) continue;
      deleted += await database.transaction(`deleting what ${name} does not keep`, (client) =>
        deleteBefore(client, tables, id, fromMs),
      );
      this.#keptFromMs.set(id, fromMs);
    }
    return deleted;
  }
}

async function deleteBefore(client: Client, tables: readonly string[], tenant: number, endMs: number): Promise<number> {
  // Whoever rewrites pages knows them by their places.
  await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
  let deleted = 0;
  for (const table of tables) {
    const samples = table === "pages" || table === "tiers" ? "samples" : "1 AS samples";
    const { rows } = await client.query(
      `WITH gone AS (DELETE FROM ${table} WHERE tenant = $1 AND time < ${int8(endMs)} RETURNING ${samples})
       SELECT coalesce(sum(samples), 0)::float8 AS samples FROM gone`,
      [tenant],
    );
    deleted += rows[0].samples as number;
  }
  await noteExpiry(client, tenant, deleted, endMs);
  return deleted;
}

/** Reads don't see it in any case; but those of a process with other settings may. */
export async function noteExpiry(client: Client, tenant: number, deleted: number, endMs: number): Promise<void> {
  const first = minuteOf(Number.NEGATIVE_INFINITY);
  if (deleted > 0) await noteChanges(client, tenant, [{ first, last: minuteOf(endMs) }]);
}

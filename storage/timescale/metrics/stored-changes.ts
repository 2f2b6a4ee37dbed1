import type { ChangesSince, DataChanges, DataVersion } from "@sightline/model/metric-store.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { int8Array } from "../database/binary-array.ts";
import type { Client, Database } from "../database/database.ts";
import { joined, type MinuteRange, minuteOf, rangesOf } from "./minute-ranges.ts";
import type { Retention } from "./retention/retention.ts";
import type { TenantNumbers } from "./tenant-numbers.ts";

/** Kept results that are older than the oldest change are made anew. */
const REMEMBERED = "1 day";
const WHAT = "looking for changes";

/**
 * Of transactions the number tells only when they began, not when others saw what they did. A version is therefore the lowest
 * number that was still under way: all changes of lower ones were seen by what was read afterwards, and every other change counts
 * as made since. With it goes which history the numbers are from, for they start again where a backup is brought back, and which
 * database they are about.
 */
const VERSION_SQL = `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS version,
  (SELECT system_identifier FROM pg_control_system()) || '.' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
    || '.' || current_database() || '.' || current_schema() AS history`;
/** A row with the ranges as two arrays: of minutes that changed since $1 in those from $3 to $4. One snapshot for all of it. */
const SINCE_SQL = `${VERSION_SQL},
  (SELECT value::int8 <= $1 FROM facts WHERE key = 'changes_horizon') AS is_remembered,
  array_agg(c.first ORDER BY c.first, c.last) AS firsts, array_agg(c.last ORDER BY c.first, c.last) AS lasts
  FROM (SELECT DISTINCT first_minute::float8 AS first, last_minute::float8 AS last FROM changes
    WHERE (tenant = $2 OR tenant IS NULL) AND xid >= $1 AND last_minute >= $3 AND first_minute <= $4
  ) c`;
type VersionRow = { readonly version: string; readonly history: string };
type SinceRow = VersionRow & {
  readonly is_remembered: boolean;
  readonly firsts: readonly number[] | null;
  readonly lasts: readonly number[];
};

export type StoredChangesOptions = {
  readonly database: Database;
  readonly tenants: TenantNumbers;
  /** What it hides with time is a change. */
  readonly retention: Retention;
  /** Writes what this process has in memory for the tenant: until then nobody can say when it changed what. */
  readonly write: (tenant: TenantId) => Promise<void>;
};

/** What changed since, whichever process did it, as the database knows it. */
export class StoredChanges implements DataChanges {
  readonly #options: StoredChangesOptions;

  constructor(options: StoredChangesOptions) {
    this.#options = options;
  }

  async version(tenant: TenantId): Promise<DataVersion> {
    await this.#options.write(tenant);
    const asOf = this.#options.retention.version(tenant);
    const [row] = await this.#options.database.ask<VersionRow>(WHAT, VERSION_SQL, []);
    return versionOf(row, asOf);
  }

  async since(tenant: TenantId, version: DataVersion, range: TimeRange): Promise<ChangesSince> {
    await this.#options.write(tenant);
    const number = await this.#options.tenants.find(tenant);
    // Nobody has written for it yet; whoever does so from now on changes something since that version.
    if (number === undefined) return { version, ranges: [] };
    const [, history, xid, before = ""] = /^(.*)\.(\d+)\.([^.]*)$/.exec(String(version)) ?? [];
    const values = [xid ?? "0", number, minuteOf(range.startMs), minuteOf(range.endMs)];
    const asOf = this.#options.retention.version(tenant);
    const [row] = await this.#options.database.ask<SinceRow>(WHAT, SINCE_SQL, values);
    const latest = versionOf(row, asOf);
    const hidden = this.#options.retention.hiddenSince(tenant, before);
    if (row?.history !== history || !row?.is_remembered || !hidden) return { version: latest, ranges: [range] };
    const minutes = (row.firsts ?? []).map((first, i) => ({ first, last: row.lasts[i] as number }));
    const changed = joined([...minutes, ...hidden].sort((a, b) => a.first - b.first));
    return { version: latest, ranges: rangesOf(changed, range) };
  }
}

function versionOf(row: VersionRow | undefined, asOf: string): DataVersion {
  return `${row?.history}.${row?.version}.${asOf}`;
}

/** In the transaction that makes the change. `tenant` null: all of them. */
export async function noteChanges(
  client: Client,
  tenant: number | null,
  ranges: readonly MinuteRange[],
): Promise<void> {
  if (ranges.length === 0) return;
  await client.query(
    `INSERT INTO changes (tenant, first_minute, last_minute, xid)
     SELECT $1, u.first, u.last, pg_current_xact_id()::text::int8 FROM unnest($2::int8[], $3::int8[]) u (first, last)`,
    [tenant, int8Array(ranges.map(({ first }) => first)), int8Array(ranges.map(({ last }) => last))],
  );
}

/** Removes changes that a later one of the same minutes stands for, and those that are too old to be asked for. */
export async function forgetChanges(database: Database): Promise<void> {
  await database.transaction("forgetting changes", async (client) => {
    await client.query(
      `DELETE FROM changes WHERE ctid IN (SELECT place FROM (
         SELECT ctid AS place, xid, max(xid) OVER (PARTITION BY tenant, first_minute, last_minute) AS newest FROM changes
       ) all_of_them WHERE xid < newest)`,
    );
    await client.query(
      `WITH gone AS (DELETE FROM changes WHERE at < now() - interval '${REMEMBERED}' RETURNING xid)
       UPDATE facts SET value = greatest(value::int8, (SELECT max(xid) + 1 FROM gone))::text
       WHERE key = 'changes_horizon' AND EXISTS (SELECT FROM gone)`,
    );
  });
}

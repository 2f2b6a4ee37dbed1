import type { TenantId } from "@sightline/model/tenant.ts";
import { int8Array } from "../../database/binary-array.ts";
import type { Client, Database } from "../../database/database.ts";
import { int8 } from "../../database/sql-int8.ts";
import { DAY_MS, dayOf, NO_DAY } from "../days.ts";
import { withoutRange } from "../delete-samples.ts";
import { PAGES_LOCK } from "../pack-partition.ts";
import { type PageTable, rewritePages } from "../page-table.ts";
import { parseLabelPairs } from "../series-text.ts";
import { TENANT_LOCK } from "../write-generation.ts";
import type { Retention, RetentionPolicy } from "./retention.ts";
import { noteExpiry } from "./tenant-retention.ts";

export type ExpiredSeriesOptions = {
  readonly database: Database;
  readonly retention: Retention;
  /** What there is beside rows. */
  readonly pageTables: readonly PageTable[];
};

/** One transaction each. */
const SLICE_SERIES = 500;
const SLICES_PER_RUN = 100;
/** What came late for days that were looked at goes then. */
const THOROUGH_EVERY_MS = 7 * DAY_MS;

type Tenant = { readonly id: number; readonly name: TenantId };
/** How far one tenant's series were looked at. */
type Pass = {
  readonly policy: RetentionPolicy;
  /** Of every time that series are kept, from when on. */
  readonly keptFromMs: ReadonlyMap<number, number>;
  /** What was before is gone already. */
  readonly sinceMs: ReadonlyMap<number, number>;
  after: bigint | undefined;
  isDone: boolean;
};
type Slice = {
  readonly fromMs: ReadonlyMap<bigint, number>;
  readonly sinceMs: number;
  readonly last: bigint | undefined;
};

/**
 * Deletes samples of series that rules keep for a shorter time than the tenant keeps others. It goes by the day (UTC), some series
 * at a time: writers wait only while series are taken from the lists, whoever rewrites pages for one slice. A pass ends where the next run goes on.
 */
export class ExpiredSeries {
  readonly #options: ExpiredSeriesOptions;
  readonly #passes = new Map<number, Pass>();
  readonly #thoroughAtMs = new Map<number, number>();

  constructor(options: ExpiredSeriesOptions) {
    this.#options = options;
  }

  /** Returns how many samples went, histograms among them. */
  async run(signal: AbortSignal): Promise<number> {
    const { database, retention } = this.#options;
    if (!retention.hasExceptions) return 0;
    const { rows } = await database.write("listing tenants", (client) => client.query("SELECT id, name FROM tenants"));
    let gone = 0;
    let slices = 0;
    for (const { id, name } of rows as Tenant[]) {
      const policy = retention.of(name);
      if (policy.shortestMs === policy.longestMs) continue;
      const pass = this.#passOf(id, policy);
      while (!pass.isDone && slices++ < SLICES_PER_RUN && !signal.aborted) {
        gone += await this.#deleteSlice({ id, name }, policy, pass);
      }
    }
    return gone;
  }

  /** The one under way, or the next when a day has gone by since. */
  #passOf(tenant: number, policy: RetentionPolicy): Pass {
    const { nowMs } = this.#options.retention;
    const keptFromMs = new Map(
      policy.all.map((keepMs) => [keepMs, Math.floor((nowMs - keepMs) / DAY_MS) * DAY_MS] as const),
    );
    const known = this.#passes.get(tenant);
    const before = known?.policy === policy ? known : undefined;
    const isSame = [...keptFromMs].every(([keepMs, fromMs]) => before?.keptFromMs.get(keepMs) === fromMs);
    if (before && (isSame || !before.isDone)) return before;
    const isThorough = nowMs >= (this.#thoroughAtMs.get(tenant) ?? Number.NEGATIVE_INFINITY) + THOROUGH_EVERY_MS;
    if (isThorough) this.#thoroughAtMs.set(tenant, nowMs);
    const sinceMs = before && !isThorough ? before.keptFromMs : new Map<number, number>();
    const pass: Pass = { policy, keptFromMs, sinceMs, after: undefined, isDone: false };
    this.#passes.set(tenant, pass);
    return pass;
  }

  async #deleteSlice({ id, name }: Tenant, policy: RetentionPolicy, pass: Pass): Promise<number> {
    const { database } = this.#options;
    const { gone, fromMs, last } = await database.transaction(
      `deleting what series of ${name} do not keep`,
      async (client) => {
        await client.query("SET LOCAL lock_timeout = 2000; SET LOCAL enable_seqscan = off");
        await client.query("SELECT pg_advisory_xact_lock($1)", [PAGES_LOCK]);
        const slice = await sliceOf(client, id, policy, pass);
        const isSome = slice.fromMs.size > 0;
        return { ...slice, gone: isSome ? await this.#delete(client, id, slice.fromMs, slice.sinceMs) : 0 };
      },
    );
    if (fromMs.size > 0)
      await database.transaction(`unlisting series of ${name}`, (client) => unlist(client, id, fromMs));
    if (last === undefined) pass.isDone = true;
    else pass.after = last;
    return gone;
  }

  async #delete(client: Client, tenant: number, fromMs: ReadonlyMap<bigint, number>, sinceMs: number): Promise<number> {
    const ids = [...fromMs.keys()];
    const ends = ids.map((id) => fromMs.get(id) as number);
    const endMs = Math.max(...ends);
    let gone = 0;
    for (const table of ["samples", "histograms"]) {
      const { rowCount } = await client.query(
        `DELETE FROM ${table} d USING unnest($1::int8[], $2::int8[]) u (id, kept_from)
         WHERE d.series = u.id AND d.tenant = $3 AND d.time < u.kept_from AND d.time < ${int8(endMs)}`,
        [int8Array(ids), int8Array(ends), tenant],
      );
      gone += rowCount ?? 0;
    }
    const range = { startMs: sinceMs, endMs: endMs - 1 };
    for (const table of this.#options.pageTables) {
      gone += await rewritePages(client, { table, tenantNumber: tenant, ids, range }, (series) => {
        const keptFromMs = fromMs.get(series.id);
        if (keptFromMs === undefined) return series;
        return withoutRange(series, { startMs: Number.NEGATIVE_INFINITY, endMs: keptFromMs - 1 });
      });
    }
    await noteExpiry(client, tenant, gone, endMs);
    return gone;
  }
}

/** Those whose last day is before what they keep. In a transaction of its own, because writers of the tenant wait for it. */
async function unlist(client: Client, tenant: number, fromMs: ReadonlyMap<bigint, number>): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1, $2)", [TENANT_LOCK, tenant]);
  await client.query(
    `UPDATE series s SET first_day = ${NO_DAY}, last_day = ${-NO_DAY}
     FROM unnest($1::int8[], $2::int8[]) u (id, day)
     WHERE s.tenant = $3 AND s.id = u.id AND s.last_day < u.day AND s.first_day <= s.last_day`,
    [int8Array([...fromMs.keys()]), int8Array(Array.from(fromMs.values(), dayOf)), tenant],
  );
}

/** The next series, those of them of which something may be too old, and from when on these are kept. */
async function sliceOf(client: Client, tenant: number, policy: RetentionPolicy, pass: Pass): Promise<Slice> {
  const newestMs = Math.max(...pass.keptFromMs.values());
  const { rows } = await client.query(
    `SELECT id, labels, first_day FROM series WHERE tenant = $1 AND first_day < $2 AND id > $3
     ORDER BY id LIMIT ${SLICE_SERIES}`,
    [tenant, dayOf(newestMs), String(pass.after ?? -1)],
  );
  const fromMs = new Map<bigint, number>();
  let sinceMs = Number.POSITIVE_INFINITY;
  for (const { id, labels, first_day } of rows) {
    const keepMs = policy.keepMs(parseLabelPairs(labels));
    const keptFromMs = pass.keptFromMs.get(keepMs) as number;
    const isDroppedWithAll = keepMs === policy.longestMs;
    if (isDroppedWithAll || first_day >= dayOf(keptFromMs)) continue;
    fromMs.set(BigInt(id), keptFromMs);
    sinceMs = Math.min(sinceMs, pass.sinceMs.get(keepMs) ?? Number.NEGATIVE_INFINITY);
  }
  const last = rows.length === SLICE_SERIES ? BigInt(rows.at(-1)?.id) : undefined;
  return { fromMs, sinceMs, last };
}

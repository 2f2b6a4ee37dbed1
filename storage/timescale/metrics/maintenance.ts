import type { Logger } from "@sightline/model/logger.ts";
import type { TimescaleMetricsConfig } from "../config.ts";
import type { Client, Database } from "../database/database.ts";
import { dayOf } from "./days.ts";
import { forgetSeries } from "./forget-series.ts";
import { mergePages } from "./merge-pages.ts";
import { minuteOf } from "./minute-ranges.ts";
import { packPartition } from "./pack-partition.ts";
import {
  dropPartition,
  type Partition,
  type PartitionedTable,
  type Partitions,
  partitionsOf,
  WINDOW_MS,
} from "./partitions.ts";
import { ExpiredSeries } from "./retention/expired-series.ts";
import type { Retention } from "./retention/retention.ts";
import { TenantRetention } from "./retention/tenant-retention.ts";
import type { StoreTelemetry } from "./store-telemetry.ts";
import { forgetChanges, noteChanges } from "./stored-changes.ts";
import { Downsampler } from "./tiers/downsampler.ts";

export type MaintenanceOptions = {
  readonly database: Database;
  readonly config: TimescaleMetricsConfig;
  readonly logger: Logger;
  readonly telemetry: StoreTelemetry;
  /** Undefined: hypertables. */
  readonly partitions: Partitions | undefined;
  readonly retention: Retention;
  readonly nowMs: () => number;
};

const TABLES: readonly PartitionedTable[] = ["samples", "histograms", "pages"];
/** For `pg_try_advisory_lock`: of several processes one does it. */
const LOCK = 7_236_475;
/** Late samples of an hour or more ago are packed together. */
const LATE_MS = 3_600_000;
const LATE_PAUSE_MS = 600_000;
/** Partitions are made so long ahead of the samples. */
const AHEAD_MS = 1_200_000;

/** What is done again and again beside reading and writing: packing or compressing, retention, partitions for what is to come. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #packedAtMs = new Map<string, number>();
  readonly #tenantRetention: TenantRetention;
  readonly #expiredSeries: ExpiredSeries;
  readonly #downsampler: Downsampler;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    this.#tenantRetention = new TenantRetention(options.retention);
    const { database, retention, partitions } = options;
    this.#expiredSeries = new ExpiredSeries({
      database,
      retention,
      pageTables: partitions ? ["pages", "tiers"] : ["tiers"],
    });
    this.#downsampler = new Downsampler({ ...options, hasPages: partitions !== undefined });
  }

  /** Does nothing when another process does it. A step that fails is tried again by the next call. */
  async run(signal: AbortSignal): Promise<void> {
    const { database, partitions } = this.#options;
    await this.#step("partitions", () => this.#makeAhead());
    const isOurs = await database.write("maintaining tables", async (client) => {
      const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS ours", [LOCK]);
      if (!rows[0].ours) return false;
      try {
        // Of a connection: this one is kept meanwhile, if there are others.
        await (database.config.max_connections > 1 ? this.#steps(partitions, signal) : undefined);
      } finally {
        await client.query("SELECT pg_advisory_unlock($1)", [LOCK]);
      }
      return true;
    });
    if (isOurs && database.config.max_connections === 1) await this.#steps(partitions, signal);
  }

  async #steps(partitions: Partitions | undefined, signal: AbortSignal): Promise<void> {
    if (partitions) {
      await this.#step("packing", () => this.#pack(signal));
      await this.#step("merging", () => this.#merge(signal));
      await this.#step("retention", () => this.#dropPartitions(signal));
    } else {
      await this.#step("packing", () => this.#compress());
      await this.#step("retention", () => this.#dropChunks());
    }
    await this.#step("downsampling", () => this.#downsample(signal));
    await this.#step("retention", () => this.#deleteOfTenants());
    await this.#step("retention", () => this.#deleteExpired(signal));
    await this.#step("retention", () => this.#deleteOld());
    await this.#step("changes", () => forgetChanges(this.#options.database));
  }

  async #step(work: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#options.telemetry.failures.inc({ work });
      this.#options.logger.warn("maintenance of the metric tables failed; it is tried again", { work, error });
    }
  }

  async #makeAhead(): Promise<void> {
    const { partitions, nowMs } = this.#options;
    const first = Math.floor(nowMs() / WINDOW_MS);
    const last = Math.floor((nowMs() + AHEAD_MS) / WINDOW_MS);
    const windows = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    for (const table of TABLES) await partitions?.ensure(table, windows);
  }

  async #pack(signal: AbortSignal): Promise<void> {
    const { database, config, nowMs, telemetry } = this.#options;
    const all = await database.write("looking for partitions", (client) => partitionsOf(client, "samples"));
    for (const partition of all) {
      if (signal.aborted) return;
      if (partition.endMs + config.pack_after > nowMs() || !this.#isDue(partition)) continue;
      if (await database.write("looking for rows", (client) => isEmpty(client, partition.name))) continue;
      this.#packedAtMs.set(partition.name, nowMs());
      const timer = telemetry.packSeconds.startTimer();
      telemetry.packed.inc(await packPartition(database, partition));
      timer();
    }
  }

  async #merge(signal: AbortSignal): Promise<void> {
    const { database, config, nowMs, telemetry } = this.#options;
    telemetry.merged.inc(await mergePages(database, nowMs() - config.merge_after, signal));
  }

  #isDue({ name, endMs }: Partition): boolean {
    const { nowMs } = this.#options;
    const packedAtMs = this.#packedAtMs.get(name);
    return packedAtMs === undefined || endMs + LATE_MS > nowMs() || packedAtMs + LATE_PAUSE_MS < nowMs();
  }

  /** What is older than the retention, and empty ones that hardly anything comes to. */
  async #dropPartitions(signal: AbortSignal): Promise<void> {
    const { database, nowMs, partitions, retention } = this.#options;
    let dropped = 0;
    for (const table of TABLES) {
      const all = await database.write("looking for partitions", (client) => partitionsOf(client, table));
      for (const { name, startMs, endMs } of all) {
        if (signal.aborted) return;
        const isOver = endMs < nowMs() - retention.longestMs;
        if (!isOver && (table !== "samples" || endMs + LATE_MS > nowMs())) continue;
        const mayGo = isOver ? async () => true : (client: Client) => isEmpty(client, name);
        // Looked at twice: locking the table for one that is full would make others wait in vain.
        if (!isOver && !(await database.write("looking for rows", mayGo))) continue;
        await this.#step("retention", async () => {
          const work = async (client: Client) => {
            const isGone = await dropPartition(client, table, name, mayGo);
            if (isGone && isOver)
              await noteChanges(client, null, [{ first: minuteOf(startMs), last: minuteOf(endMs) }]);
            return isGone;
          };
          if (await database.transaction(`dropping ${name}`, work)) dropped++;
        });
        this.#packedAtMs.delete(name);
      }
    }
    if (dropped > 0) partitions?.forget();
  }

  async #compress(): Promise<void> {
    const { database, config, nowMs } = this.#options;
    const before = Math.floor(nowMs() - config.compress_after);
    await database.write("compressing chunks", (client) =>
      client.query(
        "SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('samples', older_than => $1::int8) c",
        [before],
      ),
    );
  }

  async #dropChunks(): Promise<void> {
    const { database, nowMs, retention } = this.#options;
    const before = Math.floor(nowMs() - retention.longestMs);
    await database.transaction("dropping chunks", async (client) => {
      let dropped = 0;
      for (const table of ["samples", "histograms"]) {
        const { rowCount } = await client.query("SELECT drop_chunks($1::regclass, older_than => $2::int8)", [
          table,
          before,
        ]);
        dropped += rowCount ?? 0;
      }
      const first = minuteOf(Number.NEGATIVE_INFINITY);
      if (dropped > 0) await noteChanges(client, null, [{ first, last: minuteOf(before) }]);
    });
  }

  async #deleteOfTenants(): Promise<void> {
    const { database, partitions, telemetry } = this.#options;
    // In plain PostgreSQL rows that old have been packed.
    const tables = partitions ? ["pages", "tiers", "histograms"] : ["samples", "tiers", "histograms"];
    telemetry.deleted.inc({ by: "tenant" }, await this.#tenantRetention.apply(database, tables));
  }

  async #downsample(signal: AbortSignal): Promise<void> {
    const timer = this.#options.telemetry.downsampleSeconds.startTimer();
    const series = await this.#downsampler.run(signal);
    if (series === 0) return;
    timer();
    this.#options.telemetry.downsampled.inc(series);
  }

  async #deleteExpired(signal: AbortSignal): Promise<void> {
    this.#options.telemetry.deleted.inc({ by: "series" }, await this.#expiredSeries.run(signal));
  }

  async #deleteOld(): Promise<void> {
    const { database, config, nowMs, retention } = this.#options;
    const oldestMs = Math.floor(nowMs() - retention.longestMs);
    await database.write("deleting what is too old", async (client) => {
      await client.query("DELETE FROM tiers WHERE last_time < $1 AND time < $1", [oldestMs]);
      await client.query("DELETE FROM tier_days WHERE day < $1", [dayOf(oldestMs)]);
      await client.query("DELETE FROM exemplars WHERE time < $1", [oldestMs]);
      await client.query(
        `DELETE FROM exemplars e USING (
           SELECT tenant, (SELECT time FROM exemplars i WHERE i.tenant = t.tenant ORDER BY time DESC OFFSET $1 LIMIT 1) AS time
           FROM (SELECT id AS tenant FROM tenants) t) over
         WHERE e.tenant = over.tenant AND e.time <= over.time AND over.time IS NOT NULL`,
        [config.max_exemplars],
      );
    });
    await forgetSeries(database, dayOf(oldestMs) - 1);
  }
}

async function isEmpty(client: Client, partition: string): Promise<boolean> {
  return (await client.query(`SELECT FROM ${partition} LIMIT 1`)).rowCount === 0;
}

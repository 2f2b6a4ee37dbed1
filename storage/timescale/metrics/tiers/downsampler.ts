import { resolutionAt } from "@sightline/model/downsampling/tiers.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import type { TimescaleMetricsConfig } from "../../config.ts";
import type { Database } from "../../database/database.ts";
import { DAY_MS, dayOf } from "../days.ts";
import { WINDOW_MS } from "../partitions.ts";
import type { Retention, RetentionPolicy } from "../retention/retention.ts";
import { downsampleSlice } from "./downsample-slice.ts";

export type DownsamplerOptions = {
  readonly database: Database;
  readonly config: Pick<TimescaleMetricsConfig, "pack_after">;
  readonly retention: Retention;
  readonly hasPages: boolean;
  readonly nowMs: () => number;
};
type Tenant = { readonly id: number; readonly name: TenantId };
/** A day (since 1970) of a tenant, and how far its series were looked at. */
type Work = {
  readonly tenant: Tenant;
  readonly day: number;
  readonly resolutionMs: number;
  after: bigint | undefined;
  hadSamples: boolean;
};

const SLICES_PER_RUN = 50;
/** When a tenant had nothing to downsample, its days are looked at again after so long, or when another day is due. */
const PAUSE_MS = 3_600_000;

/**
 * Makes days coarser that ended long enough ago, some series in a transaction. A day is noted once all of it is done; what a process
 * left undone the next one begins anew, which finds what is done already. What comes late for such a day stays as it came.
 */
export class Downsampler {
  readonly #options: DownsamplerOptions;
  #work: Work | undefined;
  /** By tenant: the last due day, and when. */
  readonly #nothingFor = new Map<number, { readonly key: string; readonly atMs: number }>();
  /** Days in which nothing was found, the earliest look first; forgotten once they may be looked at again. */
  readonly #empty = new Map<string, number>();

  constructor(options: DownsamplerOptions) {
    this.#options = options;
  }

  /** Returns how many series became coarser, of a day each. */
  async run(signal: AbortSignal): Promise<number> {
    if (!this.#options.retention.hasTiers) return 0;
    let made = 0;
    for (let slices = 0; slices < SLICES_PER_RUN && !signal.aborted; slices++) {
      this.#work ??= await this.#next();
      if (!this.#work) break;
      made += await this.#slice(this.#work);
    }
    return made;
  }

  async #slice(work: Work): Promise<number> {
    const { database, hasPages } = this.#options;
    const { tenant, day, resolutionMs } = work;
    const slice = { tenantNumber: tenant.id, day, resolutionMs, after: work.after, hasPages };
    try {
      const { made, hadSamples, last } = await database.transaction(`downsampling ${tenant.name}`, (client) =>
        downsampleSlice(client, slice),
      );
      work.after = last;
      work.hadSamples ||= hadSamples;
      if (last === undefined) await this.#finish(work);
      return made;
    } catch (error) {
      this.#work = undefined;
      throw error;
    }
  }

  async #finish({ tenant, day, resolutionMs, hadSamples }: Work): Promise<void> {
    this.#work = undefined;
    if (!hadSamples) {
      this.#noteEmpty(emptyKey(tenant.id, day, resolutionMs));
      return;
    }
    await this.#options.database.write("noting a day that was downsampled", (client) =>
      client.query(
        `INSERT INTO tier_days VALUES ($1, $2, $3)
         ON CONFLICT (tenant, day) DO UPDATE SET resolution = excluded.resolution`,
        [tenant.id, day, resolutionMs],
      ),
    );
  }

  #noteEmpty(key: string): void {
    const now = this.#options.nowMs();
    for (const [known, atMs] of this.#empty) {
      if (atMs + PAUSE_MS > now) break;
      this.#empty.delete(known);
    }
    this.#empty.set(key, now);
  }

  /** The oldest day of a tenant that should be coarser. */
  async #next(): Promise<Work | undefined> {
    const { database, nowMs } = this.#options;
    const { rows } = await database.write("listing tenants", (client) =>
      client.query("SELECT id, name FROM tenants ORDER BY id"),
    );
    for (const tenant of rows as Tenant[]) {
      const key = this.#dueKey(this.#options.retention.of(tenant.name));
      const known = this.#nothingFor.get(tenant.id);
      if (known?.key === key && known.atMs + PAUSE_MS > nowMs()) continue;
      const work = await this.#nextOf(tenant);
      if (work) return work;
      this.#nothingFor.set(tenant.id, { key, atMs: nowMs() });
    }
    return undefined;
  }

  /** Changes when a day becomes due for a tier, or the tiers change. */
  #dueKey({ tiers }: RetentionPolicy): string {
    const now = this.#options.nowMs();
    return tiers.map(({ resolutionMs, afterMs }) => `${resolutionMs}@${dayOf(now - afterMs - this.#slackMs)}`).join();
  }

  /** Until then what came in time may not be in pages. */
  get #slackMs(): number {
    const { hasPages, config } = this.#options;
    return hasPages ? config.pack_after + WINDOW_MS : 0;
  }

  async #nextOf(tenant: Tenant): Promise<Work | undefined> {
    const { database, retention, nowMs } = this.#options;
    const now = nowMs();
    const { longestMs, tiers } = retention.of(tenant.name);
    const oldestKept = dayOf(now - longestMs);
    const { first, done } = await database.write("looking for days to downsample", async (client) => {
      const oldest = await client.query("SELECT min(first_day) AS day FROM series WHERE tenant = $1", [tenant.id]);
      const days = await client.query("SELECT day, resolution::float8 FROM tier_days WHERE tenant = $1", [tenant.id]);
      return {
        first: Math.max(oldestKept, (oldest.rows[0]?.day as number | null) ?? Number.POSITIVE_INFINITY),
        done: new Map(days.rows.map(({ day, resolution }) => [day as number, resolution as number])),
      };
    });
    for (let day = first; ; day++) {
      const resolutionMs = resolutionAt(tiers, now - (day + 1) * DAY_MS - this.#slackMs);
      if (resolutionMs === undefined) return undefined;
      if ((done.get(day) ?? 0) >= resolutionMs) continue;
      const emptyAtMs = this.#empty.get(emptyKey(tenant.id, day, resolutionMs));
      if (emptyAtMs !== undefined && now < emptyAtMs + PAUSE_MS) continue;
      return { tenant, day, resolutionMs, after: undefined, hadSamples: false };
    }
  }
}

function emptyKey(tenant: number, day: number, resolutionMs: number): string {
  return `${tenant} ${day} ${resolutionMs}`;
}

import type { TenantId } from "@sightline/model/tenant.ts";
import type { BlockFilters } from "./block-filters.ts";
import { BLOCK_ROWS } from "./block-grams.ts";
import { type Compaction, compactSegments, type LeaveOut } from "./compact-segments.ts";
import { compactionInputs } from "./compaction.ts";
import type { RowDeleter } from "./row-deleter.ts";
import type { SegmentCodec } from "./segment-codec.ts";
import type { Segment } from "./segment-directory.ts";
import type { SegmentRetention } from "./segment-retention.ts";
import type { StoreMetrics } from "./store-metrics.ts";

export type SegmentUpkeepOptions<Index> = Omit<Compaction<Index>, "codec"> & {
  readonly codec: Pick<SegmentCodec<never, Index>, "merge" | "groups" | "groupColumn">;
  readonly deleter: RowDeleter;
  readonly filters: BlockFilters;
  /** Small segments are merged up to so many rows. */
  readonly targetRows: number;
  readonly retention: SegmentRetention;
  readonly metrics: StoreMetrics;
  readonly nowMs: () => number;
  /** What is left to do is done after the next start. */
  readonly isStopping: () => boolean;
  /** Called when others count in the place of these. */
  readonly onReplaced: (segments: readonly Segment[]) => void;
};

/** More of them are made a minute later: rows that come meanwhile must be written. */
const MAX_FILTERS_AT_ONCE = 4;
/** A file of so large a part of what files are merged to stays as it is for long. */
const RESTING_SHARE = 1 / 4;
/** Smaller ones are read at once. */
const MIN_FILTERED_ROWS = 4 * BLOCK_ROWS;
const DAY_MS = 86_400_000;

/**
 * Drops what is older than the retention, removes deleted rows from files and merges what is small. It must not run beside
 * a flush or a deletion.
 */
export class SegmentUpkeep<Index> {
  readonly #options: SegmentUpkeepOptions<Index>;

  constructor(options: SegmentUpkeepOptions<Index>) {
    this.#options = options;
  }

  /** Until nothing is left to do. */
  async maintain(): Promise<void> {
    const { directory, deleter, isStopping } = this.#options;
    await this.#expire();
    for (const segment of deleter.due()) {
      if (isStopping()) return;
      await this.#compact([segment]);
    }
    for (const tenant of directory.tenants) await this.#merge(tenant);
    await this.#filter();
  }

  /** The newest first. */
  async #filter(): Promise<void> {
    const { directory, filters, writer, indexOf, isStopping } = this.#options;
    const segments = directory.tenants.flatMap((tenant) => directory.segmentsOf(tenant));
    let made = 0;
    for (const segment of segments.sort((a, b) => b.info.id - a.info.id)) {
      if (made === MAX_FILTERS_AT_ONCE || isStopping()) return;
      if (segment.dropped || !this.#isAtRest(segment) || !(await filters.isMissing(segment))) continue;
      directory.hold([segment]);
      try {
        // Compares the rows with their checksum.
        if ((await indexOf(segment)) === undefined) continue;
        await filters.make(segment, writer);
        made++;
      } finally {
        directory.release([segment]);
      }
    }
  }

  /** It is not about to be merged, so what is made of it is not soon made anew. */
  #isAtRest({ info }: Segment): boolean {
    const { targetRows, nowMs } = this.#options;
    const isOver = (info.day + 1) * DAY_MS < nowMs();
    return info.rows >= MIN_FILTERED_ROWS && (isOver || info.rows > RESTING_SHARE * targetRows);
  }

  async #merge(tenant: TenantId): Promise<void> {
    const { directory, targetRows, isStopping } = this.#options;
    const tried = new Set<Segment>();
    while (!isStopping()) {
      const candidates = directory
        .segmentsOf(tenant)
        .filter((segment) => !tried.has(segment) && segment.deleted.length === 0);
      const inputs = compactionInputs(candidates, targetRows);
      if (!inputs) return;
      for (const segment of inputs) tried.add(segment);
      await this.#compact(inputs);
    }
  }

  async #expire(): Promise<void> {
    const { directory, retention, nowMs, isStopping } = this.#options;
    await retention.reload();
    const nowNs = BigInt(Math.floor(nowMs())) * 1_000_000n;
    const segments = directory.tenants.flatMap((tenant) => directory.segmentsOf(tenant));
    const isOver = ({ info }: Segment) =>
      info.maxNs < nowNs - BigInt(Math.floor(retention.longestMs(info.tenant))) * 1_000_000n;
    await this.#drop(segments.filter(isOver));
    for (const segment of segments) {
      if (isStopping()) return;
      if (!segment.dropped && segment.deleted.length === 0 && retention.mayBeDue(segment)) {
        await this.#expireGroups(segment);
      }
    }
  }

  /** Rewrites a segment without the groups of which nothing is kept. */
  async #expireGroups(segment: Segment): Promise<void> {
    const { directory, codec, retention, metrics, indexOf } = this.#options;
    directory.hold([segment]);
    try {
      const index = await indexOf(segment);
      if (index === undefined) return;
      const groups = codec.groups(index);
      const isExpired = retention.expiry(segment);
      const expired = groups.flatMap((group, number) => (isExpired(group) ? [number] : []));
      if (expired.length === 0) retention.remember(segment, groups);
      else if (expired.length === groups.length) await this.#drop([segment]);
      else {
        await this.#compact([segment], { condition: `${codec.groupColumn} IN (${expired.join(", ")})` });
        const left = directory.segmentsOf(segment.info.tenant).at(-1);
        metrics.expired.inc(segment.info.rows - (left?.info.rows ?? 0));
      }
    } finally {
      directory.release([segment]);
    }
  }

  async #drop(drop: readonly Segment[]): Promise<void> {
    if (drop.length === 0) return;
    const { directory, metrics } = this.#options;
    await directory.change({ drop });
    metrics.expired.inc(drop.reduce((rows, { info }) => rows + info.rows, 0));
  }

  async #compact(inputs: readonly Segment[], leaveOut?: LeaveOut): Promise<void> {
    const { directory, metrics, onReplaced } = this.#options;
    directory.hold(inputs);
    try {
      if (!(await compactSegments(this.#options, inputs, leaveOut))) return;
      onReplaced(inputs);
      metrics.compactions.inc({ result: "ok" });
    } catch (error) {
      metrics.compactions.inc({ result: "failed" });
      throw error;
    } finally {
      directory.release(inputs);
    }
  }
}

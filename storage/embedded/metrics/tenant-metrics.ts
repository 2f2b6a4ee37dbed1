import { UnavailableError } from "@sightline/model/errors.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { isQueried } from "@sightline/model/loop-turns.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { LabelRequest, SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import type { Rejections } from "@sightline/model/rejections.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { EmbeddedMetricsConfig } from "../config.ts";
import type { BlockCache } from "./block.ts";
import { BlockList } from "./block-list.ts";
import { BlockMaintenance } from "./block-maintenance.ts";
import { ChangeLog } from "./change-log.ts";
import { deleteSamples } from "./delete-samples.ts";
import { emptyGeneration, type Generation } from "./generation.ts";
import type { Head } from "./head.ts";
import type { HeadLimits } from "./head-limits.ts";
import type { ListedBlock } from "./listed-block.ts";
import { Retention } from "./retention/retention.ts";
import { longestKeepMs, type RetentionPolicy } from "./retention/retention-policy.ts";
import type { SelectionCache } from "./selection-cache.ts";
import { SideData } from "./side-data.ts";
import { snapshotTenant } from "./snapshot-tenant.ts";
import type { StoreTelemetry } from "./store-telemetry.ts";
import { TenantReads } from "./tenant-reads.ts";
import { TimeSlice } from "./time-slice.ts";
import { type WrittenBlock, writeBlocks } from "./write-blocks.ts";

export type TenantOptions = {
  readonly dir: string;
  readonly config: EmbeddedMetricsConfig;
  readonly cache: BlockCache;
  readonly chosen: SelectionCache;
  readonly logger: Logger;
  readonly telemetry: StoreTelemetry;
  readonly nowMs: () => number;
  /** The same object until it changes. */
  readonly policy: () => RetentionPolicy;
};

/** Of the tenant that is asked. */
type Selection = Omit<SeriesRequest, "tenant">;

/**
 * The metrics of one tenant: the head that is written to, the one before it while it is being cut into blocks, and the
 * blocks. Reads see all of them; what was written first wins.
 */
export class TenantMetrics {
  readonly #options: TenantOptions;
  readonly #files: BlockList;
  readonly #side: SideData;
  readonly #retention: Retention;
  readonly #reads: TenantReads;
  readonly #maintenance: BlockMaintenance;
  /** What of the samples changed when; reads see a change as soon as it is in here. */
  readonly changes = new ChangeLog();
  #current: Generation;
  #frozen: Generation | undefined;
  #cutting: Promise<void> = Promise.resolve();
  /** The last one did. */
  #cutFailed = false;

  private constructor(options: TenantOptions, files: BlockList, side: SideData) {
    this.#options = options;
    this.#files = files;
    this.#side = side;
    this.#current = emptyGeneration(undefined);
    const { config, telemetry, nowMs, cache, chosen, logger } = options;
    this.#retention = new Retention(options.policy(), nowMs(), cache);
    this.#reads = new TenantReads({
      files,
      heads: () => this.#heads(),
      retention: this.#retention,
      cache,
      chosen,
      changes: this.changes,
      logger,
      telemetry,
    });
    this.#maintenance = new BlockMaintenance({
      files,
      telemetry,
      nowMs,
      retention: this.#retention,
      openForMs: config.head.max_age,
      open: (entry) => this.#reads.sourceOf(entry),
      putAside: (entry, error) => this.#reads.putAside(entry, error),
      onChange: (range) => this.changes.rangeChanged(range),
    });
  }

  static async open(options: TenantOptions): Promise<TenantMetrics> {
    const { config, logger } = options;
    const files = await BlockList.open(options.dir, options.cache, logger);
    const side = new SideData({ maxExemplars: config.max_exemplars, maxMetadata: config.max_metadata });
    const saved = files.sideData;
    if (saved) {
      await side.load(saved.path, saved.crc).catch((error: unknown) => {
        logger.error("exemplars and metadata are lost", { error, file: saved.path });
      });
    }
    return new TenantMetrics(options, files, side);
  }

  get headSamples(): number {
    return this.#current.head.samples;
  }

  get headSeries(): number {
    return this.#current.head.seriesCount;
  }

  get headBytes(): number {
    return this.#current.head.bytes + (this.#frozen?.head.bytes ?? 0);
  }

  get blocks(): readonly ListedBlock[] {
    return this.#files.blocks;
  }

  /** Of its newest sample, infinite when there is none. */
  get newestTimeMs(): number {
    const heads = this.#heads().map((head) => head.maxTimeMs);
    return Math.max(...heads, ...this.blocks.map(({ maxTimeMs }) => maxTimeMs));
  }

  get isCutting(): boolean {
    return this.#frozen !== undefined;
  }

  get firstUnflushedPosition(): number | undefined {
    return this.#frozen?.first ?? this.#current.first;
  }

  /** How long the oldest batch that is in memory only has been there. */
  get headAgeMs(): number {
    const { first, beganMs } = this.#current;
    return first === undefined ? 0 : this.#options.nowMs() - beganMs;
  }

  /** False when the position is durable already, so that the batch must be ignored. */
  wants(position: number): boolean {
    return position > this.#files.flushedPosition;
  }

  /** Synchronous: a batch is in one generation as a whole, and reads see all of it. */
  append(batch: MetricBatch, position: number, rejections: Rejections): void {
    const { config, nowMs, telemetry } = this.#options;
    const { head } = this.#current;
    if (this.#frozen && head.samples >= config.head.max_samples) {
      throw new UnavailableError(
        "the samples in memory can't be written to disk as fast as they come; slow down or raise storage.metrics.head.max_samples",
        { retryAfterMs: 1_000, isBusy: !this.#cutFailed },
      );
    }
    const limits: HeadLimits = {
      minTimeMs: nowMs() - longestKeepMs(this.#retention.policy),
      maxTimeMs: nowMs() + config.out_of_bounds_future,
      maxSeries: config.max_series,
    };
    if (this.#current.first === undefined) {
      this.#current.first = position;
      this.#current.beganMs = nowMs();
    }
    this.#current.last = position;
    const { temporalityChanges } = head;
    head.append(batch, limits, rejections);
    this.changes.appended(batch);
    // Rates of a series' older samples, too, are computed by what it is now.
    if (head.temporalityChanges > temporalityChanges) this.changes.everythingChanged();
    const refused = this.#side.append(batch);
    if (refused > 0) telemetry.rejected.inc({ reason: "metadata_limit" }, refused);
  }

  // ---- reading

  select(request: Selection, signal: AbortSignal): AsyncGenerator<readonly SeriesSlice[]> {
    return this.#reads.select(request, signal);
  }

  series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]> {
    return this.#reads.series(request, signal);
  }

  /** Label names, or with `name` the values of that label; in no order. */
  labels(name: string | undefined, request: LabelRequest, signal: AbortSignal): Promise<Set<string>> {
    return this.#reads.labels(name, request, signal);
  }

  /** Reads blocks into the cache, the newest samples first, as long as there is `room`. */
  preload(room: () => boolean, signal: AbortSignal): Promise<void> {
    return this.#reads.preload(room, signal);
  }

  metadata(metric?: string) {
    return this.#side.metadata(metric);
  }

  translatedMetrics() {
    return this.#side.translated();
  }

  exemplars(request: LabelRequest, signal: AbortSignal) {
    const range = this.#retention.visible(request.range);
    return this.#side.exemplars.select({ ...request, range }, new TimeSlice(signal));
  }

  /** Oldest write first. */
  #heads(): Head[] {
    return [...(this.#frozen ? [this.#frozen.head] : []), this.#current.head];
  }

  // ---- background work

  /** Makes everything appended before the call durable. One cut at a time. */
  cut(): Promise<void> {
    const done = this.#cutting.then(() => this.#cut());
    this.#cutting = done.catch(() => {});
    return done;
  }

  async #cut(): Promise<void> {
    if (!this.#frozen) {
      if (this.#current.first === undefined) return;
      this.#frozen = this.#current;
      this.#current = emptyGeneration(this.#frozen.head);
    } else {
      // What an earlier cut failed to write comes first.
      await this.#writeFrozen();
      return this.#cut();
    }
    await this.#writeFrozen();
  }

  async #writeFrozen(): Promise<void> {
    const frozen = this.#frozen as Generation;
    const files = this.#files;
    const stopTimer = this.#options.telemetry.cutSeconds.startTimer();
    try {
      const written = await writeBlocks([frozen.head], (day) => files.nextBlockPath(day));
      const side = this.#side.isDirty ? await this.#writeSideData(written) : undefined;
      if (isQueried()) await files.preload(written);
      // Should this fail, the manifest may be on disk all the same: what it names must stay.
      await files.add(written, frozen.last, side);
      if (side) this.#side.confirmSaved();
      this.#frozen = undefined;
      this.#cutFailed = false;
      this.#current.head.forgetBefore();
    } catch (cause) {
      this.#cutFailed = true;
      this.#options.telemetry.failures.inc({ work: "cut" });
      throw new UnavailableError(`write the samples in memory to ${files.dir}`, { cause, retryAfterMs: 5_000 });
    } finally {
      stopTimer();
    }
  }

  async #writeSideData(written: readonly WrittenBlock[]): Promise<{ path: string; crc: number }> {
    const path = this.#files.nextSidePath();
    try {
      return { path, crc: await this.#side.save(path) };
    } catch (error) {
      await this.#files.discard(written);
      throw error;
    }
  }

  /** Hides what has become too old since the last call, and follows changed settings. */
  retire(): void {
    const { policy, nowMs } = this.#options;
    if (this.#retention.change(policy())) this.changes.everythingChanged();
    for (const range of this.#retention.advance(nowMs())) {
      const hasBlock = this.#files.overlapping(range).length > 0;
      if (hasBlock || this.#heads().some((head) => head.overlaps(range))) this.changes.rangeChanged(range);
    }
  }

  maintain(signal: AbortSignal): Promise<void> {
    return this.#maintenance.run(signal);
  }

  // ---- on demand

  async deleteSamples(matchers: readonly Matcher[], range: TimeRange): Promise<void> {
    const indexOf = (entry: ListedBlock) => this.#reads.indexOf(entry);
    const [heads, cut, purge] = [() => this.#heads(), () => this.cut(), () => this.purge()];
    const changed = await deleteSamples({ files: this.#files, heads, cut, purge, indexOf }, matchers, range);
    if (!changed) return;
    this.changes.rangeChanged(changed);
    this.#maintenance.deleted();
  }

  purge(): Promise<void> {
    return this.#maintenance.purge();
  }

  async snapshot(dir: string, skipMemory: boolean): Promise<void> {
    if (!skipMemory) await this.cut();
    await snapshotTenant(this.#files, this.#side, dir);
  }
}

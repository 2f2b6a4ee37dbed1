import { UnavailableError } from "@sightline/model/errors.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { isQueried } from "@sightline/model/loop-turns.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { LabelRequest, SelectHints, SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { EmbeddedMetricsConfig } from "../config.ts";
import type { BlockCache } from "./block.ts";
import { BlockList, type ListedBlock } from "./block-list.ts";
import { BlockMaintenance } from "./block-maintenance.ts";
import { ChangeLog } from "./change-log.ts";
import { collectLabels } from "./collect-labels.ts";
import { deleteSamples } from "./delete-samples.ts";
import { emptyGeneration, type Generation } from "./generation.ts";
import type { Head, HeadLimits } from "./head.ts";
import { joinSources } from "./join-sources.ts";
import { mapSome } from "./map-some.ts";
import { preloadBlocks } from "./preload-blocks.ts";
import { readSeries } from "./read-series.ts";
import type { Rejections } from "./rejections.ts";
import { Retention } from "./retention/retention.ts";
import { longestKeepMs, type RetentionPolicy } from "./retention/retention-policy.ts";
import type { SelectionCache } from "./selection-cache.ts";
import { MaskedSource } from "./series-mask.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import { SideData } from "./side-data.ts";
import { snapshotTenant } from "./snapshot-tenant.ts";
import type { StoreTelemetry } from "./store-telemetry.ts";
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
    const { config, telemetry, nowMs, cache } = options;
    this.#retention = new Retention(options.policy(), nowMs(), cache);
    this.#maintenance = new BlockMaintenance({
      files,
      telemetry,
      nowMs,
      retention: this.#retention,
      openForMs: config.head.max_age,
      open: (entry) => this.#sourceOf(entry),
      putAside: (entry, error) => this.#putAside(entry, error),
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

  async *select(asked: Selection, signal: AbortSignal): AsyncGenerator<readonly SeriesSlice[]> {
    const request = { ...asked, range: this.#retention.visible(asked.range) };
    const { cache, chosen } = this.#options;
    const slice = new TimeSlice(signal);
    const blocks = this.#acquire(request.range);
    try {
      const { sources, listed } = await this.#sources(blocks, request);
      const joined = await joinSources(sources, request, slice, {
        cache,
        chosen,
        listing: request.limit !== undefined,
      });
      const all = request.sorted ? await joined.rowsInLabelOrder(slice) : joined.rows();
      const rows = request.limit ? all.slice(0, request.limit) : all;
      const open = (source: SeriesSource, ids: readonly number[]) => this.#open(source, ids, request, listed);
      for await (const group of readSeries(joined, rows, request.range, slice, request.transient === true, open)) {
        yield group;
        signal.throwIfAborted();
      }
    } finally {
      await this.#release(blocks);
    }
  }

  /** Reads blocks into the cache, the newest samples first, as long as there is `room`. */
  async preload(room: () => boolean, signal: AbortSignal): Promise<void> {
    const blocks = this.#acquire({ startMs: Number.NEGATIVE_INFINITY, endMs: Number.POSITIVE_INFINITY });
    try {
      await preloadBlocks(blocks, room, signal);
    } finally {
      await this.#release(blocks);
    }
  }

  async series(asked: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]> {
    const request = { ...asked, range: this.#retention.visible(asked.range) };
    const { cache, chosen } = this.#options;
    const slice = new TimeSlice(signal);
    const blocks = this.#acquire(request.range);
    try {
      const { sources } = await this.#sources(blocks, request);
      const joined = await joinSources(sources, request, slice, { cache, chosen, listing: true });
      const count = request.limit ? Math.min(request.limit, joined.length) : joined.length;
      return Array.from({ length: count }, (_, row) => joined.labelsOf(row));
    } finally {
      await this.#release(blocks);
    }
  }

  /** Label names, or with `name` the values of that label; in no order. */
  async labels(name: string | undefined, asked: LabelRequest, signal: AbortSignal): Promise<Set<string>> {
    const request = { ...asked, range: this.#retention.visible(asked.range) };
    const [found, slice] = [new Set<string>(), new TimeSlice(signal)];
    const blocks = this.#acquire(request.range);
    try {
      const { sources } = await this.#sources(blocks, request);
      for (const source of sources) {
        const isFiltered = request.matchers.length > 0 || source instanceof MaskedSource;
        if (isFiltered) await collectLabels(source, request, name, slice, found, this.#options.chosen);
        else for (const text of name === undefined ? source.names() : source.valuesOf(name)) found.add(text);
        if (slice.due) await slice.pause();
      }
    } finally {
      await this.#release(blocks);
    }
    return found;
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

  #acquire(range: TimeRange): readonly ListedBlock[] {
    const blocks = this.#files.overlapping(range);
    for (const { block } of blocks) block.acquire();
    return blocks;
  }

  async #release(blocks: readonly ListedBlock[]): Promise<void> {
    await Promise.all(blocks.map(({ block }) => block.release()));
  }

  /** What may have samples in the range, oldest write first; `listed` says which of them are blocks. */
  async #sources(blocks: readonly ListedBlock[], { range, hints }: Pick<Selection, "range" | "hints">) {
    // Heads are taken before the first await: a cut that ends meanwhile must not hide them.
    const heads = this.#heads().filter((head) => head.overlaps(range));
    const found = await mapSome(blocks, async (entry) => {
      try {
        return await this.#sourceOf(entry, hints);
      } catch (error) {
        await this.#putAside(entry, error);
        return undefined;
      }
    });
    const listed = new Map<SeriesSource, ListedBlock>();
    for (const [i, source] of found.entries()) if (source) listed.set(source, blocks[i] as ListedBlock);
    const kept: SeriesSource[] = [];
    for (const head of heads) kept.push(await this.#retention.limit(head, head.minTimeMs));
    return { sources: [...listed.keys(), ...kept], listed };
  }

  /** A block without what is deleted of it or too old. */
  async #sourceOf(entry: ListedBlock, hints?: SelectHints): Promise<SeriesSource> {
    const { block, deleted, minTimeMs, downsampled } = entry;
    const source = await block.sourceWithout(deleted, { hints, resolutionMs: downsampled?.resolutionMs });
    return this.#retention.limit(source, minTimeMs);
  }

  async #open(
    source: SeriesSource,
    ids: readonly number[],
    { range, hints }: Pick<Selection, "range" | "hints">,
    listed: ReadonlyMap<SeriesSource, ListedBlock>,
  ): Promise<SeriesReader | undefined> {
    try {
      return await source.open(ids, range, hints);
    } catch (error) {
      const entry = listed.get(source);
      if (!entry) throw error;
      await this.#putAside(entry, error);
      return undefined;
    }
  }

  /** A damaged block must not take the others down with it. Throws errors that say nothing of the file's content. */
  async #putAside(entry: ListedBlock, error: unknown): Promise<void> {
    await this.#files.assertDamage(error, entry);
    if (!(await this.#files.quarantine(entry))) return;
    this.changes.rangeChanged({ startMs: entry.minTimeMs, endMs: entry.maxTimeMs });
    const { logger, telemetry } = this.#options;
    telemetry.corruptBlocks.inc();
    telemetry.corruptSamples.inc(entry.samples);
    logger.error("a block is damaged; its samples are no longer served", {
      error,
      file: `${entry.block.path}.corrupt`,
      samples: entry.samples,
    });
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
    const indexOf = (entry: ListedBlock) => this.#indexOf(entry);
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

  async #indexOf(entry: ListedBlock): Promise<SeriesSource | undefined> {
    try {
      return await entry.block.source();
    } catch (error) {
      await this.#putAside(entry, error);
      return undefined;
    }
  }
}

import type { Labels } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { LabelRequest, SelectHints, SeriesRequest, SeriesSlice } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { type Awaitable, andThen } from "./awaitable.ts";
import type { BlockCache } from "./block.ts";
import type { BlockList } from "./block-list.ts";
import type { ChangeLog } from "./change-log.ts";
import type { Head } from "./head.ts";
import { joinSources } from "./join-sources.ts";
import { labelsIn } from "./labels-in.ts";
import type { ListedBlock } from "./listed-block.ts";
import { mapSome } from "./map-some.ts";
import { preloadBlocks } from "./preload-blocks.ts";
import { readSeries } from "./read-series.ts";
import type { Retention } from "./retention/retention.ts";
import { keyOfMatchers, type SelectionCache } from "./selection-cache.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import type { StoreTelemetry } from "./store-telemetry.ts";
import { TimeSlice } from "./time-slice.ts";

export type TenantReadsOptions = {
  readonly files: BlockList;
  /** What is in memory, oldest write first. */
  readonly heads: () => readonly Head[];
  readonly retention: Retention;
  readonly cache: BlockCache;
  readonly chosen: SelectionCache;
  /** Told of what is no longer served. */
  readonly changes: ChangeLog;
  readonly logger: Logger;
  readonly telemetry: StoreTelemetry;
};

/** Of the tenant that is asked. */
type Selection = Omit<SeriesRequest, "tenant">;

/**
 * Reads the metrics of one tenant: its blocks and what is in memory, without what is deleted or too old. What was written
 * first wins. A block that turns out to be damaged is put aside, and the rest is read.
 */
export class TenantReads {
  readonly #options: TenantReadsOptions;

  constructor(options: TenantReadsOptions) {
    this.#options = options;
  }

  async *select(asked: Selection, signal: AbortSignal): AsyncGenerator<readonly SeriesSlice[]> {
    const request = { ...asked, range: this.#options.retention.visible(asked.range) };
    const { cache, chosen } = this.#options;
    const slice = new TimeSlice(signal);
    const blocks = this.#acquire(request.range);
    try {
      const sources = await this.#sources(blocks, request);
      const joined = await joinSources(sources, request, slice, {
        cache,
        chosen,
        listing: request.limit !== undefined,
      });
      const all = request.sorted ? await joined.rowsInLabelOrder(slice) : joined.rows();
      const rows = request.limit ? all.slice(0, request.limit) : all;
      const open = (source: SeriesSource, ids: readonly number[]) => this.#open(source, ids, request, blocks);
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
    const request = { ...asked, range: this.#options.retention.visible(asked.range) };
    const { cache, chosen } = this.#options;
    const slice = new TimeSlice(signal);
    const blocks = this.#acquire(request.range);
    try {
      const sources = await this.#sources(blocks, request);
      const joined = await joinSources(sources, request, slice, { cache, chosen, listing: true });
      const count = request.limit ? Math.min(request.limit, joined.length) : joined.length;
      return Array.from({ length: count }, (_, row) => joined.labelsOf(row));
    } finally {
      await this.#release(blocks);
    }
  }

  /** Label names, or with `name` the values of that label; in no order. */
  async labels(name: string | undefined, asked: LabelRequest, signal: AbortSignal): Promise<Set<string>> {
    const request = { ...asked, range: this.#options.retention.visible(asked.range) };
    const [found, slice] = [new Set<string>(), new TimeSlice(signal)];
    const blocks = this.#acquire(request.range);
    try {
      const key = keyOfMatchers(request.matchers);
      for (const source of await this.#sources(blocks, request)) {
        for (const text of await labelsIn(source, request, key, name, slice, this.#options.chosen)) found.add(text);
        if (slice.due) await slice.pause();
      }
    } finally {
      await this.#release(blocks);
    }
    return found;
  }

  #acquire(range: TimeRange): readonly ListedBlock[] {
    const blocks = this.#options.files.overlapping(range);
    for (const { block } of blocks) block.acquire();
    return blocks;
  }

  #release(blocks: readonly ListedBlock[]): Awaitable<unknown> {
    const closing = blocks.map(({ block }) => block.release()).filter((release) => release instanceof Promise);
    return closing.length > 0 ? Promise.all(closing) : undefined;
  }

  /** What may have samples in the range, oldest write first. */
  async #sources(
    blocks: readonly ListedBlock[],
    { range, hints }: Pick<Selection, "range" | "hints">,
  ): Promise<readonly SeriesSource[]> {
    // Heads are taken before the first await: a cut that ends meanwhile must not hide them.
    const heads = this.#options.heads().filter((head) => head.overlaps(range));
    const found = await mapSome(blocks, (entry) => this.#unlessDamaged(entry, this.sourceOf(entry, hints)));
    const sources = found.filter((source) => source !== undefined);
    for (const head of heads) sources.push(await this.#options.retention.limit(head, head.minTimeMs));
    return sources;
  }

  /** A block without what is deleted of it or too old. */
  sourceOf(entry: ListedBlock, hints?: SelectHints): Awaitable<SeriesSource> {
    const { block, deleted, minTimeMs, downsampled } = entry;
    const source = block.sourceWithout(deleted, { hints, resolutionMs: downsampled?.resolutionMs });
    return andThen(source, (source) => this.#options.retention.limit(source, minTimeMs));
  }

  #open(
    source: SeriesSource,
    ids: readonly number[],
    { range, hints }: Pick<Selection, "range" | "hints">,
    blocks: readonly ListedBlock[],
  ): Awaitable<SeriesReader | undefined> {
    const reader = source.open(ids, range, hints);
    const entry = blocks.find(({ block }) => block.key === source.key);
    return entry ? this.#unlessDamaged(entry, reader) : reader;
  }

  /** What is read of a block, undefined when it turns out to be damaged; what is at hand was found to be whole. */
  #unlessDamaged<T>(entry: ListedBlock, read: Awaitable<T>): Awaitable<T | undefined> {
    if (!(read instanceof Promise)) return read;
    return read.catch(async (error: unknown) => {
      await this.putAside(entry, error);
      return undefined;
    });
  }

  /** A damaged block must not take the others down with it. Throws errors that say nothing of the file's content. */
  async putAside(entry: ListedBlock, error: unknown): Promise<void> {
    await this.#options.files.assertDamage(error, entry);
    if (!(await this.#options.files.quarantine(entry))) return;
    this.#options.changes.rangeChanged({ startMs: entry.minTimeMs, endMs: entry.maxTimeMs });
    const { logger, telemetry } = this.#options;
    telemetry.corruptBlocks.inc();
    telemetry.corruptSamples.inc(entry.samples);
    logger.error("a block is damaged; its samples are no longer served", {
      error,
      file: `${entry.block.path}.corrupt`,
      samples: entry.samples,
    });
  }

  /** All that is in a block; undefined when it is damaged. */
  indexOf(entry: ListedBlock): Awaitable<SeriesSource | undefined> {
    return this.#unlessDamaged(entry, entry.block.source());
  }
}

import type { Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { type Awaitable, andThen } from "./awaitable.ts";
import type { BlockIndex, BlockWindow, DataPagePlace, PagePlace, TimePagePlace } from "./block-index.ts";
import { DataPage } from "./data-page.ts";
import { firstFrom } from "./first-from.ts";
import { mapSome } from "./map-some.ts";
import type { SeriesAssembler } from "./series-assembler.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import { TimePage } from "./time-page.ts";
import { TimeSlice } from "./time-slice.ts";

/** Reads pages of one block. */
export interface PageLoader {
  /**
   * In the order of `places`; `newSlice` is called when there is something to read. Throws {@link CorruptionError} naming
   * the file.
   */
  pages<P extends DataPage | TimePage>(
    places: readonly PagePlace[],
    parse: (bytes: Uint8Array) => P,
    newSlice: () => TimeSlice,
  ): Awaitable<readonly P[]>;
}

const dataPage = (bytes: Uint8Array) => new DataPage(bytes);
const timePage = (bytes: Uint8Array) => new TimePage(bytes);
const inForeground = () => new TimeSlice();

/** The series of a block, with its index in memory. */
export class BlockSource implements SeriesSource {
  readonly key: string;
  readonly isFixed = true;
  readonly #index: BlockIndex;
  readonly #loader: PageLoader;

  constructor(key: string, index: BlockIndex, loader: PageLoader) {
    this.key = key;
    this.#index = index;
    this.#loader = loader;
  }

  get bytes(): number {
    return this.#index.bytes;
  }

  get seriesCount(): number {
    return this.#index.seriesCount;
  }

  names(): Iterable<string> {
    return this.#index.names();
  }

  valuesOf(name: string): Iterable<string> {
    return this.#index.valuesOf(name);
  }

  postings(name: string, value: string): ArrayLike<number> {
    return this.#index.postings(name, value);
  }

  hashOf(id: number): number {
    return this.#index.hashOf(id);
  }

  hasLabels(id: number, labels: Labels): boolean {
    return this.#index.hasLabels(id, labels);
  }

  labelsOf(id: number): Labels {
    return this.#index.labelsOf(id);
  }

  infoOf(id: number): SeriesInfo {
    return this.#index.infoOf(id);
  }

  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void {
    this.#index.collectLabels(ids, name, into);
  }

  /** They are numbered in that order. */
  inLabelOrder(ids: readonly number[]): readonly number[] {
    return ids;
  }

  /** Loads all pages the series have in the range; the reader keeps them as long as it lives. */
  open(ids: readonly number[], { startMs, endMs }: TimeRange): Awaitable<SeriesReader> {
    const wanted = this.windows.filter(({ minTimeMs, maxTimeMs }) => minTimeMs <= endMs && maxTimeMs >= startMs);
    // One after the other: pages of several that come at once would be unpacked in one turn of the event loop.
    const opened = mapSome(wanted, (window) => this.#openWindow(window, ids), 1);
    return andThen(opened, (windows) => new BlockReader(windows));
  }

  get windows(): readonly BlockWindow[] {
    return this.#index.windows;
  }

  /** Reads all pages of a window into the cache, and decodes its times, which nearly every query needs. */
  async load({ dataPages, timePages }: BlockWindow): Promise<void> {
    const slice = TimeSlice.inBackground();
    for (const page of await this.#loader.pages(timePages, timePage, TimeSlice.inBackground)) {
      for (let run = 0; run < page.length; run++) {
        page.run(run);
        if (slice.due) await slice.pause();
      }
    }
    await this.#loader.pages(dataPages, dataPage, TimeSlice.inBackground);
  }

  #openWindow(window: BlockWindow, ids: readonly number[]): Awaitable<OpenWindow> {
    const places = pagesWith(window.dataPages, ids);
    return andThen(this.#loader.pages(places, dataPage, inForeground), (dataPages) =>
      andThen(this.#timePages(window, dataPages, ids[0] as number), (timePages) => ({
        window,
        places,
        dataPages,
        timePages,
      })),
    );
  }

  /** By their number in the window, those with the times of these data pages' chunks, from a series on. */
  #timePages(
    { timePages: places }: BlockWindow,
    dataPages: readonly DataPage[],
    firstSeries: number,
  ): Awaitable<readonly TimePage[]> {
    if (places.length <= 1) return this.#loader.pages(places, timePage, inForeground);
    const needed = new Set<number>();
    for (const { chunks } of dataPages) {
      for (let chunk = chunks.firstOf(firstSeries); chunk < chunks.length; chunk++) {
        needed.add(pageOfRun(places, chunks.timeRun(chunk)));
      }
    }
    const numbers = [...needed].sort((a, b) => a - b);
    const wanted = numbers.map((number) => places[number] as TimePagePlace);
    return andThen(this.#loader.pages(wanted, timePage, inForeground), (loaded) => {
      const pages: TimePage[] = [];
      for (const [i, number] of numbers.entries()) pages[number] = loaded[i] as TimePage;
      return pages;
    });
  }
}

/** Holds the pages that it reads. */
class BlockReader implements SeriesReader {
  readonly #windows: readonly OpenWindow[];

  constructor(windows: readonly OpenWindow[]) {
    this.#windows = windows;
  }

  read(id: number, range: TimeRange, into: SeriesAssembler): void {
    for (const window of this.#windows) readWindow(window, id, range, into);
  }
}

type OpenWindow = {
  readonly window: BlockWindow;
  readonly places: readonly DataPagePlace[];
  readonly dataPages: readonly DataPage[];
  /** By their number in the window; only those needed are here. */
  readonly timePages: readonly TimePage[];
};

function readWindow(open: OpenWindow, id: number, range: TimeRange, into: SeriesAssembler): void {
  const { window, places, dataPages, timePages } = open;
  for (let p = 0; p < places.length; p++) {
    const { firstSeries, lastSeries } = places[p] as DataPagePlace;
    if (id > lastSeries) continue;
    if (id < firstSeries) break;
    const page = dataPages[p] as DataPage;
    const { chunks } = page;
    for (let chunk = chunks.firstOf(id); chunk < chunks.length && chunks.series(chunk) === id; chunk++) {
      const run = chunks.timeRun(chunk);
      const number = pageOfRun(window.timePages, run);
      const timesMs = (timePages[number] as TimePage).run(run - (window.timePages[number] as TimePagePlace).firstRun);
      readChunk(page, chunk, timesMs, range, into);
    }
  }
}

function readChunk(
  page: DataPage,
  chunk: number,
  timesMs: Float64Array,
  range: TimeRange,
  into: SeriesAssembler,
): void {
  const { startMs, endMs } = range;
  const length = timesMs.length;
  if ((timesMs[0] as number) > endMs || (timesMs[length - 1] as number) < startMs) return;
  const from = (timesMs[0] as number) >= startMs ? 0 : firstFrom(timesMs, startMs);
  const to = (timesMs[length - 1] as number) <= endMs ? length : firstFrom(timesMs, endMs + 1);
  const startsMs = page.readStarts(chunk, timesMs);
  if (page.isHistogram(chunk)) {
    into.addHistograms(
      Array.from(timesMs.subarray(from, to)),
      startsMs ? Array.from(startsMs.subarray(from, to)) : new Array<number>(to - from).fill(0),
      page.readHistograms(chunk).slice(from, to),
    );
    return;
  }
  const at = into.reserve(to - from);
  page.readValues(chunk, from, to, into.values, at);
  into.add(timesMs, from, to - from, 0, startsMs, from);
}

/** Pages whose stretch of series has one of `ids` (ascending). */
function pagesWith(pages: readonly DataPagePlace[], ids: readonly number[]): DataPagePlace[] {
  const found: DataPagePlace[] = [];
  let i = 0;
  for (const page of pages) {
    while (i < ids.length && (ids[i] as number) < page.firstSeries) i++;
    if (i === ids.length) break;
    if ((ids[i] as number) <= page.lastSeries) found.push(page);
  }
  return found;
}

/** Number of the page that holds a run. */
function pageOfRun(pages: readonly TimePagePlace[], run: number): number {
  let low = 0;
  let high = pages.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((pages[middle] as TimePagePlace).firstRun <= run) low = middle;
    else high = middle - 1;
  }
  return low;
}

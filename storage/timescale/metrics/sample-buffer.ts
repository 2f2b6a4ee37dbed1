import { isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import { formatLabels } from "@sightline/model/labels.ts";
import type {
  ExemplarSample,
  HistogramSample,
  MetricBatch,
  MetricMetadata,
  SeriesKey,
} from "@sightline/model/metric-batch.ts";
import type { Rejections } from "@sightline/model/rejections.ts";
import { wordsOf } from "@sightline/model/stale.ts";
import { sameHistogram } from "./histogram-codec.ts";
import { HAS_HISTOGRAMS, HAS_SAMPLES, type SeriesCache, type SeriesEntry, type SeriesSummary } from "./series-cache.ts";

/** Which times are taken, in ms, both ends included. */
export type TimeBounds = { readonly oldestMs: number; readonly newestMs: number };
export type BufferedHistogram = Omit<HistogramSample, "ref"> & { readonly series: number };
export type BufferedExemplar = Omit<ExemplarSample, "ref"> & { readonly series: number };

const FIRST_ROWS = 1024;

/** Samples of one tenant that wait to be written, in columns and in the order they came. `series` are numbers of the cache. */
export class SampleBuffer {
  readonly cache: SeriesCache;
  readonly touched: number[] = [];
  readonly histograms: BufferedHistogram[] = [];
  readonly exemplars: BufferedExemplar[] = [];
  readonly metadata = new Map<string, MetricMetadata>();
  /** After {@link seal}. */
  sealed: readonly SeriesSummary[] = [];
  length = 0;
  series = new Uint32Array(FIRST_ROWS);
  timesMs = new Float64Array(FIRST_ROWS);
  values = new Float64Array(FIRST_ROWS);
  startsMs = new Float64Array(FIRST_ROWS);
  /** The row before of the same series, -1 for the first. */
  #before = new Int32Array(FIRST_ROWS);
  #words = wordsOf(this.values);
  readonly #generation: number;

  constructor(cache: SeriesCache, generation: number) {
    this.cache = cache;
    this.#generation = generation;
  }

  get isEmpty(): boolean {
    return this.length === 0 && this.histograms.length + this.exemplars.length + this.metadata.size === 0;
  }

  append(batch: MetricBatch, bounds: TimeBounds, rejections: Rejections): void {
    this.#appendSamples(batch, bounds, rejections);
    for (const sample of batch.histograms) this.#appendHistogram(batch, sample, bounds, rejections);
    for (const { ref, ...exemplar } of batch.exemplars) {
      this.exemplars.push({ ...exemplar, series: this.#numberOf(batch.series[ref] as SeriesKey) });
    }
    for (const metadata of batch.metadata) this.metadata.set(metadata.metric, metadata);
  }

  #appendSamples(batch: MetricBatch, bounds: TimeBounds, rejections: Rejections): void {
    const { length, refs, series, timesMs, startsMs } = batch;
    const words = wordsOf(batch.values);
    this.#ensure(this.length + length);
    for (let i = 0; i < length; i++) {
      const timeMs = timesMs[i] as number;
      const key = series[refs[i] as number] as SeriesKey;
      if (!isWithin(timeMs, bounds)) {
        refuseTime(key, timeMs, bounds, rejections);
        continue;
      }
      const number = this.#numberOf(key);
      const entry = this.cache.at(number);
      entry.info = key.info;
      if (entry.histograms?.has(timeMs)) {
        refuseDuplicate(entry, timeMs, rejections);
        continue;
      }
      const low = words[2 * i] as number;
      const high = words[2 * i + 1] as number;
      if (timeMs > entry.newestMs) {
        entry.newestMs = timeMs;
        entry.newestLow = low;
        entry.newestHigh = high;
      } else if (this.#isKnown(entry, timeMs, low, high, rejections)) continue;
      this.#push(number, entry, timeMs, low, high, startsMs?.[i] ?? 0);
    }
  }

  #push(number: number, entry: SeriesEntry, timeMs: number, low: number, high: number, startMs: number): void {
    const row = this.length++;
    this.series[row] = number;
    this.timesMs[row] = timeMs;
    this.#words[2 * row] = low;
    this.#words[2 * row + 1] = high;
    this.startsMs[row] = startMs;
    this.#before[row] = entry.lastRow;
    entry.lastRow = row;
    entry.rowByTime?.set(timeMs, row);
    entry.mark(HAS_SAMPLES, timeMs);
  }

  /** The series has a sample of this time; another value is refused. Of what was written before only the newest is known. */
  #isKnown(entry: SeriesEntry, timeMs: number, low: number, high: number, rejections: Rejections): boolean {
    let same = entry.newestLow === low && entry.newestHigh === high;
    if (timeMs !== entry.newestMs) {
      const row = this.#rowAt(entry, timeMs);
      if (row === undefined) return false;
      same = this.#words[2 * row] === low && this.#words[2 * row + 1] === high;
    }
    if (!same) refuseDuplicate(entry, timeMs, rejections);
    return true;
  }

  #rowAt(entry: SeriesEntry, timeMs: number): number | undefined {
    if (!entry.rowByTime) {
      entry.rowByTime = new Map();
      for (let row = entry.lastRow; row >= 0; row = this.#before[row] as number) {
        entry.rowByTime.set(this.timesMs[row] as number, row);
      }
    }
    return entry.rowByTime.get(timeMs);
  }

  #appendHistogram(batch: MetricBatch, sample: HistogramSample, bounds: TimeBounds, rejections: Rejections): void {
    const { timeMs, startMs, histogram } = sample;
    const key = batch.series[sample.ref] as SeriesKey;
    if (!isWithin(timeMs, bounds)) {
      refuseTime(key, timeMs, bounds, rejections);
      return;
    }
    const series = this.#numberOf(key);
    const entry = this.cache.at(series);
    entry.info = key.info;
    const known = entry.histograms?.get(timeMs);
    if (known ? !same(known, histogram) : this.#hasSample(entry, timeMs)) {
      refuseDuplicate(entry, timeMs, rejections);
      return;
    }
    if (known) return;
    entry.histograms ??= new Map();
    entry.histograms.set(timeMs, histogram);
    entry.mark(HAS_HISTOGRAMS, timeMs);
    this.histograms.push({ series, timeMs, startMs, histogram });
  }

  #hasSample(entry: SeriesEntry, timeMs: number): boolean {
    return timeMs === entry.newestMs || (entry.lastRow >= 0 && this.#rowAt(entry, timeMs) !== undefined);
  }

  /** What is known of the series in it, before the next generation writes over it. */
  seal(): void {
    this.sealed = this.touched.map((number) => this.cache.at(number).summary());
  }

  #numberOf(key: SeriesKey): number {
    const number = this.cache.numberOf(key);
    const entry = this.cache.at(number);
    if (entry.generation !== this.#generation) {
      entry.enter(this.#generation);
      this.touched.push(number);
    }
    return number;
  }

  #ensure(rows: number): void {
    if (rows <= this.series.length) return;
    const size = Math.max(rows, this.series.length * 2);
    const { series, timesMs, startsMs } = this;
    const before = this.#before;
    const words = this.#words;
    this.series = new Uint32Array(size);
    this.series.set(series);
    this.#before = new Int32Array(size);
    this.#before.set(before);
    this.timesMs = new Float64Array(size);
    this.timesMs.set(timesMs);
    this.startsMs = new Float64Array(size);
    this.startsMs.set(startsMs);
    this.values = new Float64Array(size);
    this.#words = wordsOf(this.values);
    this.#words.set(words);
  }
}

function isWithin(timeMs: number, { oldestMs, newestMs }: TimeBounds): boolean {
  return timeMs >= oldestMs && timeMs <= newestMs;
}

function refuseTime({ labels }: SeriesKey, timeMs: number, { oldestMs }: TimeBounds, rejections: Rejections): void {
  const settings = "storage.metrics.timescale";
  if (timeMs < oldestMs) {
    const text = `is older than ${settings}.retention allows`;
    rejections.add("too_old", () => `${formatLabels(labels)}: ${timeMs} ${text}`);
  } else {
    const text = `is further in the future than ${settings}.out_of_bounds_future allows`;
    rejections.add("too_new", () => `${formatLabels(labels)}: ${timeMs} ${text}`);
  }
}

function refuseDuplicate({ labels }: SeriesEntry, timeMs: number, rejections: Rejections): void {
  rejections.add("duplicate", () => `${formatLabels(labels)} already has another value at ${timeMs}`);
}

function same(a: NativeHistogram, b: NativeHistogram): boolean {
  return isStaleHistogram(a) || isStaleHistogram(b) ? a === b : sameHistogram(a, b);
}

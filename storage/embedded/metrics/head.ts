import { type Labels, sameLabels } from "@sightline/model/labels.ts";
import type { MetricBatch, SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { Rejections } from "@sightline/model/rejections.ts";
import { wordsOf } from "@sightline/model/stale.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { type HeadLimits, isAcceptable, refuseTime } from "./head-limits.ts";
import { HeadReader } from "./head-reader.ts";
import { HistogramSamples } from "./histogram-samples.ts";
import { LabelOrder } from "./label-order.ts";
import { LateSamples } from "./late-samples.ts";
import { SampleSlots } from "./sample-slots.ts";
import { SeriesIds } from "./series-ids.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import { SeriesTable } from "./series-table.ts";
import { StartRuns } from "./start-runs.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Samples of a series. */
const SPARSE_BELOW = 16;

let nextNumber = 1;

/** Of a series of ten labels: its place in the postings of each, and in the table. */
const INDEX_BYTES = 200;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * One generation of samples in memory: all that was appended since the cut before. It has its own series table, so that
 * series which are no longer written disappear with it.
 *
 * Samples that are newer than the newest of their series go to slots; all others to a buffer per series, sorted when it
 * is read. Memory: 8 bytes a sample, up to 4 more for a time that no other series has; about 264 a series for its first slot,
 * 60 for the columns below, and 20 a label for the index.
 */
export class Head implements SeriesSource {
  readonly key = `head ${nextNumber++}`;
  readonly isFixed = false;
  readonly #table = new SeriesTable();
  readonly #ids = new SeriesIds();
  readonly #order = new LabelOrder(this.#table.labels);
  readonly #slots: SampleSlots;
  readonly #starts = new StartRuns();
  readonly #late = new Map<number, LateSamples>();
  readonly #histograms = new Map<number, HistogramSamples>();
  #before: Head | undefined;
  /** Newest in-order sample per series, also of the head before, to tell duplicates and late samples. */
  #newestMs = new Float64Array(1024).fill(NEVER);
  #newestValues = new Float64Array(1024);
  #newestWords = wordsOf(this.#newestValues);
  #samples = 0;
  #temporalityChanges = 0;
  #minTimeMs = Number.POSITIVE_INFINITY;
  #maxTimeMs = NEVER;

  /** `before` is the head that was frozen when this one began; it is looked at only while it is being written. */
  constructor(before?: Head) {
    this.#before = before;
    // As the last one was: so many series that it was full when each had but a few samples, or not.
    const isSparse = before !== undefined && before.samples < SPARSE_BELOW * before.seriesCount;
    this.#slots = new SampleSlots(isSparse ? "sparse" : "usual");
  }

  get samples(): number {
    return this.#samples;
  }

  /** Of the oldest sample, infinite when there is none. */
  get minTimeMs(): number {
    return this.#minTimeMs;
  }

  /** Of the newest sample, infinite when there is none. */
  get maxTimeMs(): number {
    return this.#maxTimeMs;
  }

  get seriesCount(): number {
    return this.#table.seriesCount;
  }

  /** About. */
  get bytes(): number {
    return this.#slots.bytes + this.#newestMs.length * 16 + this.seriesCount * INDEX_BYTES;
  }

  /** How often a series turned out to be of another temporality than before. */
  get temporalityChanges(): number {
    return this.#temporalityChanges;
  }

  /** Lets go of the head before, which is in blocks now. */
  forgetBefore(): void {
    this.#before = undefined;
  }

  /** Takes samples of earlier heads that are in the range for unknown, so that they can be written again. */
  forgetNewest(ids: readonly number[], { startMs, endMs }: TimeRange): void {
    for (const id of ids) {
      const newestMs = this.#newestMs[id] as number;
      const isOwn = this.#slots.countOf(id) > 0;
      if (!isOwn && newestMs >= startMs && newestMs <= endMs) this.#newestMs[id] = NEVER;
    }
  }

  overlaps({ startMs, endMs }: TimeRange): boolean {
    return this.#minTimeMs <= endMs && this.#maxTimeMs >= startMs;
  }

  /** Takes the rows of a batch, refused ones to `rejections`. Synchronous, and visible to reads when it returns. */
  append(batch: MetricBatch, limits: HeadLimits, rejections: Rejections): void {
    const { series, refs, timesMs, values, startsMs, length } = batch;
    const words = wordsOf(values);
    const ids = this.#ids.of(series);
    for (let i = 0; i < length; i++) {
      const ref = refs[i] as number;
      const timeMs = timesMs[i] as number;
      if (!isAcceptable(timeMs, limits)) {
        refuseTime(timeMs, series[ref] as SeriesKey, limits, rejections);
        continue;
      }
      let id = (ids[ref] ?? 0) - 1;
      if (id < 0) {
        id = this.#idOf(series[ref] as SeriesKey, limits, rejections);
        if (id < 0) continue;
        this.#ids.note(ids, ref, id);
      }
      const newestMs = this.#newestMs[id] as number;
      const startMs = startsMs === undefined ? 0 : (startsMs[i] as number);
      if (timeMs > newestMs) {
        if (this.#histograms.size > 0 && this.#hasHistogramAt(id, timeMs)) {
          this.#refuseDuplicate(id, timeMs, rejections);
          continue;
        }
        this.#appendInOrder(id, timeMs, values, i, startMs);
      } else if (timeMs < newestMs) this.#appendLate(id, timeMs, values, i, startMs);
      else if (words[2 * i] !== this.#newestWords[2 * id] || words[2 * i + 1] !== this.#newestWords[2 * id + 1]) {
        this.#refuseDuplicate(id, timeMs, rejections);
      }
    }
    if (batch.histograms.length > 0) this.#appendHistograms(batch, limits, rejections);
  }

  #appendInOrder(id: number, timeMs: number, values: Float64Array, index: number, startMs: number): void {
    this.#newestMs[id] = timeMs;
    this.#newestValues[id] = values[index] as number;
    if (!this.#slots.append(id, timeMs, values, index)) {
      this.#appendLate(id, timeMs, values, index, startMs);
      return;
    }
    this.#starts.append(id, this.#slots.countOf(id) - 1, startMs);
    this.#count(timeMs);
  }

  #appendLate(id: number, timeMs: number, values: Float64Array, index: number, startMs: number): void {
    let late = this.#late.get(id);
    if (!late) {
      late = new LateSamples();
      this.#late.set(id, late);
    }
    late.append(timeMs, values, index, startMs);
    this.#count(timeMs);
  }

  #appendHistograms({ series, histograms }: MetricBatch, limits: HeadLimits, rejections: Rejections): void {
    for (const { ref, timeMs, startMs, histogram } of histograms) {
      const key = series[ref] as SeriesKey;
      if (!isAcceptable(timeMs, limits)) {
        refuseTime(timeMs, key, limits, rejections);
        continue;
      }
      const id = this.#idOf(key, limits, rejections);
      if (id < 0) continue;
      let samples = this.#histograms.get(id);
      if (!samples) {
        samples = new HistogramSamples();
        this.#histograms.set(id, samples);
      }
      const result = this.#newestMs[id] === timeMs ? "duplicate" : samples.append(timeMs, startMs, histogram);
      if (result === "duplicate") this.#refuseDuplicate(id, timeMs, rejections);
      if (result === "added") this.#count(timeMs);
    }
  }

  #count(timeMs: number): void {
    this.#samples++;
    if (timeMs < this.#minTimeMs) this.#minTimeMs = timeMs;
    if (timeMs > this.#maxTimeMs) this.#maxTimeMs = timeMs;
  }

  #idOf(key: SeriesKey, limits: HeadLimits, rejections: Rejections): number {
    const table = this.#table;
    const hint = key.ref - 1;
    const id =
      hint >= 0 && hint < table.labels.length && table.labels[hint] === key.labels
        ? hint
        : this.#findOrAdd(key, limits, rejections);
    if (id >= 0 && table.infos[id] !== key.info) {
      if (table.infos[id]?.temporality !== key.info.temporality) this.#temporalityChanges++;
      table.infos[id] = key.info;
      this.#ids.forget(id);
    }
    return id;
  }

  #findOrAdd(key: SeriesKey, { maxSeries }: HeadLimits, rejections: Rejections): number {
    const known = this.#table.find(key);
    if (known >= 0) return known;
    if (this.#table.seriesCount >= maxSeries) {
      rejections.add(
        "limit",
        () => `more than ${maxSeries} series are active; write fewer or raise storage.metrics.max_series`,
      );
      return -1;
    }
    const older = this.#before === undefined ? -1 : this.#before.#table.find(key);
    const id = this.#table.add(key);
    this.#ensure(id + 1);
    if (older >= 0) {
      const before = this.#before as Head;
      if (before.#table.infos[older]?.temporality !== key.info.temporality) this.#temporalityChanges++;
      this.#newestMs[id] = before.#newestMs[older] as number;
      this.#newestValues[id] = before.#newestValues[older] as number;
    }
    return id;
  }

  #ensure(series: number): void {
    this.#slots.ensureSeries(series);
    if (series <= this.#newestMs.length) return;
    const times = new Float64Array(series * 2).fill(NEVER);
    times.set(this.#newestMs);
    const values = new Float64Array(series * 2);
    values.set(this.#newestValues);
    this.#newestMs = times;
    this.#newestValues = values;
    this.#newestWords = wordsOf(values);
  }

  #hasHistogramAt(id: number, timeMs: number): boolean {
    return (this.#histograms.get(id)?.inRange(timeMs, timeMs).timesMs.length ?? 0) > 0;
  }

  #refuseDuplicate(id: number, timeMs: number, rejections: Rejections): void {
    rejections.add("duplicate", () => {
      const time = new Date(timeMs).toISOString();
      return `${this.#table.nameOf(id)} already has another value at ${time}; the first one is kept`;
    });
  }

  names(): Iterable<string> {
    return this.#table.names();
  }

  valuesOf(name: string): Iterable<string> {
    return this.#table.valuesOf(name);
  }

  postings(name: string, value: string): ArrayLike<number> {
    return this.#table.postings(name, value);
  }

  hashOf(id: number): number {
    return this.#table.hashOf(id);
  }

  hasLabels(id: number, labels: Labels): boolean {
    return sameLabels(this.labelsOf(id), labels);
  }

  labelsOf(id: number): Labels {
    return this.#table.labels[id] as Labels;
  }

  infoOf(id: number): SeriesInfo {
    return this.#table.infos[id] as SeriesInfo;
  }

  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void {
    for (const id of ids) {
      for (const [key, value] of this.labelsOf(id)) {
        if (name === undefined) into.add(key);
        else if (key === name) into.add(value);
      }
    }
  }

  inLabelOrder(ids: readonly number[], slice: TimeSlice): Promise<readonly number[]> {
    return this.#order.sort(ids, slice);
  }

  open(_ids: readonly number[], _range: TimeRange, hints?: Pick<SelectHints, "newestOnly">): SeriesReader {
    const samples = { slots: this.#slots, starts: this.#starts, late: this.#late, histograms: this.#histograms };
    const reader = new HeadReader(samples);
    if (hints?.newestOnly !== true) return reader;
    return {
      read: (id, range, into) => {
        const newestMs = this.#newestMs[id] as number;
        const newest = this.#newestValues[id] as number;
        if (!reader.readNewest(id, newestMs, newest, range, into)) reader.read(id, range, into);
      },
    };
  }
}

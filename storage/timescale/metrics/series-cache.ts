import type { NativeHistogram } from "@sightline/model/histogram.ts";
import { type Labels, labelsKey, sameLabels } from "@sightline/model/labels.ts";
import type { SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import { dayOf, NO_DAY } from "./days.ts";

export const HAS_SAMPLES = 1;
export const HAS_HISTOGRAMS = 2;

/** What one generation has of a series. */
export type SeriesSummary = {
  readonly entry: SeriesEntry;
  readonly info: SeriesInfo;
  readonly kinds: number;
  readonly firstDay: number;
  readonly lastDay: number;
};

/** What a writer remembers of one series. */
export class SeriesEntry {
  readonly labels: Labels;
  info: SeriesInfo;
  /** Undefined until the database has it. */
  id: bigint | undefined;
  /** What the row in the database says, as far as this process knows. */
  storedInfo: SeriesInfo | undefined;
  storedKinds = 0;
  storedFirstDay = Number.POSITIVE_INFINITY;
  storedLastDay = Number.NEGATIVE_INFINITY;
  /** The newest sample that was taken in, also when it is not in memory any more; `-Infinity`: none. */
  newestMs = Number.NEGATIVE_INFINITY;
  newestLow = 0;
  newestHigh = 0;
  /** What follows is about the generation of this number. */
  generation = -1;
  kinds = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;
  lastRow = -1;
  /** Rows by time; only once a sample was not newer than the others. */
  rowByTime: Map<number, number> | undefined;
  histograms: Map<number, NativeHistogram> | undefined;

  constructor(labels: Labels, info: SeriesInfo) {
    this.labels = labels;
    this.info = info;
  }

  enter(generation: number): void {
    this.generation = generation;
    this.kinds = 0;
    this.firstMs = Number.POSITIVE_INFINITY;
    this.lastMs = Number.NEGATIVE_INFINITY;
    this.lastRow = -1;
    this.rowByTime = undefined;
    this.histograms = undefined;
  }

  mark(kind: number, timeMs: number): void {
    this.kinds |= kind;
    if (timeMs < this.firstMs) this.firstMs = timeMs;
    if (timeMs > this.lastMs) this.lastMs = timeMs;
  }

  summary(): SeriesSummary {
    const { info, kinds, firstMs, lastMs } = this;
    // Exemplars alone are no reason to list a series.
    return kinds === 0
      ? { entry: this, info, kinds, firstDay: NO_DAY, lastDay: -NO_DAY }
      : { entry: this, info, kinds, firstDay: dayOf(firstMs), lastDay: dayOf(lastMs) };
  }

  /** The database has to be told. */
  isNews({ info, kinds, firstDay, lastDay }: SeriesSummary): boolean {
    return (
      this.id === undefined ||
      this.storedInfo !== info ||
      (kinds & ~this.storedKinds) !== 0 ||
      firstDay < this.storedFirstDay ||
      lastDay > this.storedLastDay
    );
  }

  /** After a transaction that told it. */
  stored({ info, kinds, firstDay, lastDay }: SeriesSummary): void {
    this.storedInfo = info;
    this.storedKinds |= kinds;
    this.storedFirstDay = Math.min(this.storedFirstDay, firstDay);
    this.storedLastDay = Math.max(this.storedLastDay, lastDay);
  }
}

/** The series of one tenant that a writer has seen, by number. `SeriesKey.ref` finds the number without looking at labels. */
export class SeriesCache {
  #entries: SeriesEntry[] = [];
  #numbers = new Map<string, number>();

  get size(): number {
    return this.#entries.length;
  }

  at(number: number): SeriesEntry {
    return this.#entries[number] as SeriesEntry;
  }

  /** The ref is checked: another store or tenant may have set it. */
  numberOf(key: SeriesKey): number {
    const known = key.ref - 1;
    const entry = this.#entries[known];
    if (entry && sameLabels(entry.labels, key.labels)) return known;
    const text = labelsKey(key.labels);
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#entries.push(new SeriesEntry(key.labels, key.info)) - 1;
      this.#numbers.set(text, number);
    }
    key.ref = number + 1;
    return number;
  }

  /** After samples were deleted: none is known to be there, nor days. */
  forgetSamples(): void {
    for (const entry of this.#entries) {
      entry.newestMs = Number.NEGATIVE_INFINITY;
      entry.storedFirstDay = Number.POSITIVE_INFINITY;
      entry.storedLastDay = Number.NEGATIVE_INFINITY;
      entry.storedInfo = undefined;
    }
  }
}

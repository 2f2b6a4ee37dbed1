import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { BlockWindow, DataPagePlace, PagePlace, TimePagePlace } from "./block-index.ts";
import { DataPageWriter } from "./data-page.ts";
import { TimePageWriter } from "./time-page.ts";

/** What an entropy coder needs to learn a distribution, and little enough to decode for one series. */
const PAGE_BYTES = 64 * 1024;
/** Distinct times remembered to find the same ones again: 8 MiB. */
const MAX_REMEMBERED_TIMES = 1_000_000;

/** Writes the chunks of one window of a block to pages, and finds chunks that have the same times. */
export class WindowWriter {
  readonly #write: (page: Uint8Array) => PagePlace;
  readonly #data = new DataPageWriter();
  readonly #times = new TimePageWriter();
  readonly #dataPages: DataPagePlace[] = [];
  readonly #timePages: TimePagePlace[] = [];
  readonly #runs = new Map<number, { readonly run: number; readonly timesMs: Float64Array }[]>();
  #remembered = 0;
  #nextRun = 0;
  #pageFirstRun = 0;
  #minTimeMs = Number.POSITIVE_INFINITY;
  #maxTimeMs = Number.NEGATIVE_INFINITY;

  constructor(write: (page: Uint8Array) => PagePlace) {
    this.#write = write;
  }

  addValues(series: number, timesMs: Float64Array, values: Float64Array, startsMs: Float64Array | undefined): void {
    this.#data.addValues(series, this.#runOf(timesMs), timesMs, values, startsMs);
    if (this.#data.rawBytes >= PAGE_BYTES) this.#finishDataPage();
  }

  addHistograms(
    series: number,
    timesMs: Float64Array,
    histograms: readonly NativeHistogram[],
    startsMs: Float64Array | undefined,
  ): void {
    this.#data.addHistograms(series, this.#runOf(timesMs), timesMs, histograms, startsMs);
    if (this.#data.rawBytes >= PAGE_BYTES) this.#finishDataPage();
  }

  finish(): BlockWindow {
    if (!this.#data.isEmpty) this.#finishDataPage();
    if (this.#nextRun > this.#pageFirstRun) this.#finishTimePage();
    return {
      minTimeMs: this.#minTimeMs,
      maxTimeMs: this.#maxTimeMs,
      timePages: this.#timePages,
      dataPages: this.#dataPages,
    };
  }

  #runOf(timesMs: Float64Array): number {
    const last = timesMs.length - 1;
    this.#minTimeMs = Math.min(this.#minTimeMs, timesMs[0] as number);
    this.#maxTimeMs = Math.max(this.#maxTimeMs, timesMs[last] as number);
    const hash = (timesMs[0] as number) * 31 + (timesMs[last >> 1] as number) * 7 + (timesMs[last] as number) + last;
    const candidates = this.#runs.get(hash);
    const known = candidates?.find((candidate) => sameNumbers(candidate.timesMs, timesMs));
    if (known) return known.run;
    const run = this.#nextRun++;
    this.#times.add(timesMs);
    this.#remember(hash, run, timesMs);
    if (this.#times.rawBytes >= PAGE_BYTES) this.#finishTimePage();
    return run;
  }

  #remember(hash: number, run: number, timesMs: Float64Array): void {
    this.#remembered += timesMs.length;
    if (this.#remembered > MAX_REMEMBERED_TIMES) {
      this.#runs.clear();
      this.#remembered = timesMs.length;
    }
    const entry = { run, timesMs: timesMs.slice() };
    const others = this.#runs.get(hash);
    if (others) others.push(entry);
    else this.#runs.set(hash, [entry]);
  }

  #finishDataPage(): void {
    const { bytes, firstSeries, lastSeries } = this.#data.finish();
    this.#dataPages.push({ ...this.#write(bytes), firstSeries, lastSeries });
  }

  #finishTimePage(): void {
    this.#timePages.push({ ...this.#write(this.#times.finish()), firstRun: this.#pageFirstRun });
    this.#pageFirstRun = this.#nextRun;
  }
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

import type { TimeRange } from "@sightline/model/time-range.ts";
import { type AssembledSamples, assembleSeries, SampleArena } from "./assemble-series.ts";
import { decodeInto, type OpenPage, openPage, type SeriesLookUp } from "./page-codec.ts";
import { SampleCollector } from "./sample-collector.ts";
import type { SharedTimes } from "./shared-times.ts";

/** What one page has of one series: the place in the page's head. */
type Part = { readonly page: OpenPage; readonly entry: number };

/**
 * Pages that were read, by series. They are decoded series by series, not page by page: so the samples of a series come to lie one
 * behind the other and need not be copied together, and their times, which other series mostly have, too, take no memory of their own.
 */
export class PageParts {
  readonly #parts: readonly Part[][];
  readonly #times: SharedTimes;
  /** Of the series under way. */
  #timesMs = new Float64Array(1024);
  #startsMs: Float64Array | undefined;
  /** Of all wanted series, as far as decoded. */
  #values = new Float64Array(0);
  #decoded = 0;
  /** Of the wanted series, in all pages. */
  samples = 0;

  constructor(seriesCount: number, times: SharedTimes) {
    this.#parts = Array.from({ length: seriesCount }, () => []);
    this.#times = times;
  }

  /** Pages of a series come ascending in time. Throws `CorruptionError`. */
  add(bytes: Uint8Array, seriesOf: SeriesLookUp): void {
    const page = openPage(bytes);
    for (const [entry, { bucket, rest }] of page.ids.entries()) {
      const series = seriesOf(bucket, rest);
      if (series === undefined) continue;
      this.#parts[series]?.push({ page, entry });
      this.samples += page.counts[entry] as number;
    }
  }

  /**
   * The samples of one series in the range, with those that `rows` has of it, as {@link assembleSeries} gives them. Once per series,
   * when all pages have been added.
   */
  take(series: number, range: TimeRange, rows: SampleCollector): AssembledSamples {
    const parts = this.#parts[series] ?? [];
    const newer = rows.segmentsOf(series);
    if (this.#values.length === 0) this.#values = new Float64Array(this.samples + rows.length);
    const values = this.#values.subarray(this.#decoded);
    const pieces = [...parts.map(countOf), ...newer.map(({ from, to }) => to - from)];
    const count = pieces.reduce((sum, piece) => sum + piece, 0);
    this.#reserve(count);
    let at = 0;
    for (const { page, entry } of parts) {
      const startsMs = () => this.#withStarts();
      decodeInto(page, entry, { timesMs: this.#timesMs, timesAt: at, values, valuesAt: at, startsMs });
      at += page.counts[entry] as number;
    }
    for (const { from, to } of newer) {
      this.#timesMs.set(rows.timesMs.subarray(from, to), at);
      values.set(rows.values.subarray(from, to), at);
      const startsMs = rows.startsOf(from, to);
      if (startsMs) this.#withStarts().set(startsMs, at);
      at += to - from;
    }
    this.#decoded += count;
    return this.#isAscending(pieces)
      ? this.#inRange(count, values, range)
      : this.#merged(pieces, values, parts.length, range);
  }

  #reserve(count: number): void {
    if (count > this.#timesMs.length) this.#timesMs = new Float64Array(2 * count);
    this.#startsMs = undefined;
  }

  #withStarts(): Float64Array {
    this.#startsMs ??= new Float64Array(this.#timesMs.length);
    return this.#startsMs;
  }

  /** Each piece is, in itself. */
  #isAscending(pieces: readonly number[]): boolean {
    let end = 0;
    for (const piece of pieces) {
      if (end > 0 && (this.#timesMs[end] as number) <= (this.#timesMs[end - 1] as number)) return false;
      end += piece;
    }
    return true;
  }

  #inRange(count: number, values: Float64Array, { startMs, endMs }: TimeRange): AssembledSamples {
    let from = 0;
    let to = count;
    while (from < to && (this.#timesMs[from] as number) < startMs) from++;
    while (to > from && (this.#timesMs[to - 1] as number) > endMs) to--;
    const startsMs = this.#startsMs?.slice(from, to);
    return {
      timesMs: this.#times.of(this.#timesMs.subarray(from, to)),
      values: values.subarray(from, to),
      startsMs: startsMs?.some((start) => start !== 0) ? startsMs : undefined,
    };
  }

  /** Late samples: rows lie between those of pages, or are there twice. The first `packed` pieces are of pages. */
  #merged(pieces: readonly number[], values: Float64Array, packed: number, range: TimeRange): AssembledSamples {
    const collector = new SampleCollector(
      1,
      pieces.reduce((sum, piece) => sum + piece, 0),
    );
    let at = 0;
    for (const [i, piece] of pieces.entries()) {
      const own = (column: Float64Array) => column.subarray(at, at + piece);
      const startsMs = this.#startsMs && own(this.#startsMs);
      collector.addRun(0, { timesMs: own(this.#timesMs), values: own(values), startsMs }, i < packed);
      at += piece;
    }
    return assembleSeries(collector, 0, range, new SampleArena(collector));
  }
}

function countOf({ page, entry }: Part): number {
  return page.counts[entry] as number;
}

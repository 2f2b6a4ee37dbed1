import type { TimeRange } from "@sightline/model/time-range.ts";
import { type AssembledSamples, assembleSeries, SampleArena } from "./assemble-series.ts";
import type { PageCache } from "./page-cache.ts";
import { decodeInto, type OpenPage, type SeriesLookUp } from "./page-codec.ts";
import { SampleCollector } from "./sample-collector.ts";
import type { SharedTimes, TimesInRange } from "./shared-times.ts";

/** What one page has of one series: the place in the page's head. */
type Part = { readonly page: OpenPage; readonly entry: number };

export type PagePartsOptions = {
  readonly cache: PageCache;
  readonly times: SharedTimes;
  /** After so many {@link PageParts.reuse} is called; an array holds twice as many. */
  readonly valuesAtOnce: number;
};

/**
 * Pages that were read, by series. They are decoded series by series, not page by page: so the samples of a series come to lie one
 * behind the other and need not be copied together, and their times, which other series mostly have, too, take no memory of their own.
 */
export class PageParts {
  readonly #parts: readonly Part[][];
  readonly #options: PagePartsOptions;
  /** Of the series under way. */
  #startsMs: Float64Array | undefined;
  #count = 0;
  /** Of the series that were taken, up to `#used`. */
  #values = new Float64Array(0);
  #used = 0;
  /** Of the wanted series, in all pages. */
  samples = 0;

  constructor(seriesCount: number, options: PagePartsOptions) {
    this.#parts = Array.from({ length: seriesCount }, () => []);
    this.#options = options;
  }

  /** Pages of a series come ascending in time. Throws `CorruptionError`. */
  add(bytes: Uint8Array, seriesOf: SeriesLookUp): void {
    const page = this.#options.cache.open(bytes);
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
    const packed = parts.reduce((sum, { page, entry }) => sum + (page.counts[entry] as number), 0);
    this.#count = newer.reduce((sum, { from, to }) => sum + to - from, packed);
    this.#startsMs = undefined;
    const { times } = this.#options;
    const values = this.#room(this.#count, this.samples + rows.length);
    const pieces: Float64Array[] = [];
    let at = 0;
    const startsMs = () => this.#withStarts();
    for (const { page, entry } of parts) {
      const timesMs = decodeInto(page, entry, times, { values, at, startsMs });
      pieces.push(timesMs);
      at += timesMs.length;
    }
    for (const { from, to } of newer) {
      pieces.push(times.of(rows.timesMs.subarray(from, to)));
      values.set(rows.values.subarray(from, to), at);
      const starts = rows.startsOf(from, to);
      if (starts) this.#withStarts().set(starts, at);
      at += to - from;
    }
    return isAscending(pieces)
      ? this.#inRange(times.join(pieces), values)
      : this.#merged(pieces, values, parts.length, range);
  }

  /** Nobody needs the values any more that were given so far: others take their place. */
  reuse(): void {
    this.#used = 0;
  }

  #room(count: number, atMost: number): Float64Array {
    if (this.#used + count > this.#values.length) {
      this.#values = new Float64Array(Math.max(count, Math.min(atMost, 2 * this.#options.valuesAtOnce)));
      this.#used = 0;
    }
    this.#used += count;
    return this.#values.subarray(this.#used - count, this.#used);
  }

  #withStarts(): Float64Array {
    this.#startsMs ??= new Float64Array(this.#count);
    return this.#startsMs;
  }

  #inRange({ from, to, timesMs }: TimesInRange, values: Float64Array): AssembledSamples {
    const startsMs = this.#startsMs?.subarray(from, to);
    return {
      timesMs,
      values: values.subarray(from, to),
      startsMs: startsMs?.some((start) => start !== 0) ? startsMs : undefined,
    };
  }

  /** Late samples: rows lie between those of pages, or are there twice. The first `packed` pieces are of pages. */
  #merged(pieces: readonly Float64Array[], values: Float64Array, packed: number, range: TimeRange): AssembledSamples {
    const collector = new SampleCollector(1, this.#count);
    let at = 0;
    for (const [i, timesMs] of pieces.entries()) {
      const own = (column: Float64Array) => column.subarray(at, at + timesMs.length);
      const startsMs = this.#startsMs && own(this.#startsMs);
      collector.addRun(0, { timesMs, values: own(values), startsMs }, i < packed);
      at += timesMs.length;
    }
    return assembleSeries(collector, 0, range, new SampleArena(collector));
  }
}

/** Each piece is, in itself. */
function isAscending(pieces: readonly Float64Array[]): boolean {
  return pieces.every((piece, i) => i === 0 || (piece[0] as number) > (pieces[i - 1]?.at(-1) as number));
}

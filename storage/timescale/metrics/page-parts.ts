import { setImmediate as nextTurn } from "node:timers/promises";
import { decodeSeries, type OpenPage, openPage, type SeriesLookUp } from "./page-codec.ts";
import { SampleCollector } from "./sample-collector.ts";

/** What one page has of one series: the place in the page's head. */
type Part = { readonly page: OpenPage; readonly entry: number };

const TURN_MS = 10;

/**
 * Pages that were read, by series. They are decoded series by series, not page by page: so the samples of a series come to lie one
 * behind the other and need not be copied together.
 */
export class PageParts {
  readonly #parts: readonly Part[][];
  /** Of the wanted series, in all pages. */
  samples = 0;

  constructor(seriesCount: number) {
    this.#parts = Array.from({ length: seriesCount }, () => []);
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

  /** All samples, those of `rows` behind those of pages. Lets others have a turn now and then. Throws the signal's reason. */
  async decodeBefore(rows: SampleCollector, signal: AbortSignal): Promise<SampleCollector> {
    const collector = new SampleCollector(this.#parts.length, this.samples + rows.length);
    let turnMs = performance.now();
    for (const [series, parts] of this.#parts.entries()) {
      for (const { page, entry } of parts) decodeSeries(page, entry, series, collector);
      for (const { from, to } of rows.segmentsOf(series)) {
        const startsMs = rows.startsOf(from, to);
        collector.addRun(series, {
          timesMs: rows.timesMs.subarray(from, to),
          values: rows.values.subarray(from, to),
          startsMs,
        });
      }
      if (performance.now() - turnMs < TURN_MS) continue;
      await nextTurn();
      signal.throwIfAborted();
      turnMs = performance.now();
    }
    collector.end();
    return collector;
  }
}

import type { SeriesSamples } from "@sightline/model/downsampling/downsample-series.ts";
import { needsPoints, withPoints } from "@sightline/model/downsampling/rate-points.ts";
import { useOfWindows, type WindowUse } from "@sightline/model/downsampling/window-use.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { int8 } from "../../database/sql-int8.ts";
import { DAY_MS } from "../days.ts";
import type { PageCache } from "../page-cache.ts";
import type { SeriesLookUp } from "../page-codec.ts";
import { PageParts } from "../page-parts.ts";
import { SampleCollector } from "../sample-collector.ts";
import { SharedTimes } from "../shared-times.ts";
import type { SampleJoiner } from "./join-samples.ts";
import { STAYED, tierOf } from "./tier-columns.ts";

export type TierOptions = {
  readonly hints: SelectHints | undefined;
  readonly cache: PageCache;
  readonly joiner: SampleJoiner;
};

const NO_ROWS = new SampleCollector(0, 0);

/**
 * What days that were downsampled have of some series, as the function that samples are for sees them: windows instead of samples, or
 * the samples that stayed, for changes over short ranges with points between them.
 */
export class TierParts {
  readonly #options: TierOptions;
  readonly #use: WindowUse | undefined;
  readonly #range: TimeRange;
  readonly #seriesCount: number;
  /** By resolution, then by tier. */
  readonly #parts = new Map<number, Map<number, PageParts>>();

  constructor(seriesCount: number, range: TimeRange, options: TierOptions) {
    this.#seriesCount = seriesCount;
    this.#range = range;
    this.#options = options;
    this.#use = useOfWindows(options.hints);
  }

  /** For a FROM clause: pages as `p`, of what `w` (bucket, low, high) asks for, in the order in which {@link add} wants them. */
  sql(columns: string, wanted: string): string {
    // A line at an end of the range begins or ends outside of it; a page is of a day, and so is the longest window.
    const { startMs, endMs } = this.#range;
    return `SELECT ${columns} FROM ${wanted} JOIN tiers p ON p.bucket = w.bucket AND p.first_series <= w.high AND p.last_series >= w.low
      WHERE p.tier IN (${this.#tiers.join(", ")}) AND p.time BETWEEN ${int8(startMs - 2 * DAY_MS)} AND ${int8(endMs + DAY_MS)}
      AND p.last_time >= ${int8(startMs - DAY_MS)} ORDER BY p.bucket, p.time`;
  }

  /** Throws `CorruptionError`. */
  add(tier: number, resolutionMs: number, bytes: Uint8Array, seriesOf: SeriesLookUp): void {
    let tiers = this.#parts.get(resolutionMs);
    if (!tiers) {
      tiers = new Map();
      this.#parts.set(resolutionMs, tiers);
    }
    let parts = tiers.get(tier);
    if (!parts) {
      const times = new SharedTimes(this.#rangeOf(resolutionMs));
      parts = new PageParts(this.#seriesCount, {
        cache: this.#options.cache,
        times,
        valuesAtOnce: Number.POSITIVE_INFINITY,
      });
      tiers.set(tier, parts);
    }
    parts.add(bytes, seriesOf);
  }

  /** Samples of a series in the range with those that are as they came. Once for each series. */
  with(series: number, asTheyCame: SeriesSamples): SeriesSamples {
    if (this.#parts.size === 0) return asTheyCame;
    const older = Array.from(this.#parts, ([resolutionMs, tiers]) => this.#take(series, resolutionMs, tiers));
    return this.#options.joiner.join([...older, asTheyCame]);
  }

  get #tiers(): readonly number[] {
    const use = this.#use;
    if (!use) return [STAYED];
    return use.counted ? [...new Set([tierOf(use.column), tierOf("counts")])] : [tierOf(use.column)];
  }

  #rangeOf(resolutionMs: number): TimeRange {
    const { startMs, endMs } = this.#range;
    const isWider = !this.#use && needsPoints(this.#options.hints, resolutionMs);
    return isWider ? { startMs: startMs - resolutionMs, endMs: endMs + resolutionMs } : this.#range;
  }

  #take(series: number, resolutionMs: number, tiers: ReadonlyMap<number, PageParts>): SeriesSamples {
    const range = this.#rangeOf(resolutionMs);
    const { hints } = this.#options;
    const samplesOf = (tier: number) => tiers.get(tier)?.take(series, range, NO_ROWS);
    const use = this.#use;
    const found = samplesOf(use ? tierOf(use.column) : STAYED);
    if (!found) return { timesMs: new Float64Array(0), values: new Float64Array(0) };
    if (use?.column === "counts") return { ...found, counts: found.values };
    if (use) return use.counted ? { ...found, counts: samplesOf(tierOf("counts"))?.values } : found;
    if (!needsPoints(hints, resolutionMs)) return found;
    return withPoints(found, this.#range, { resolutionMs, isCounter: hints?.func !== "delta" });
  }
}

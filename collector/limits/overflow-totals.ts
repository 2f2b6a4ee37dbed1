import { type Labels, labelsFrom, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";
import type { SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";

const OVERFLOW_LABEL = "otel_metric_overflow";
/** Sums over different bounds or quantiles would say nothing. */
const KEPT_LABELS = ["le", "quantile"] as const;
const COUNTER_NAME = /_(?:total|count|sum|bucket)$/;
/** A member of a gauge's sum that was not heard of for so long does not count any more: as PromQL looks back. */
const SILENT_AFTER_MS = 300_000;
/** Times of samples beyond this must not push those of the overflow series into the future. */
const MAX_AHEAD_MS = 600_000;

/** The overflow series that stands for a series, as OpenTelemetry's metrics SDK specification marks it. */
export function overflowLabels(labels: Labels): Labels {
  const kept = [METRIC_NAME, ...KEPT_LABELS].map((name) => [name, labelValue(labels, name)] as const);
  return labelsFrom([...kept, [OVERFLOW_LABEL, "true"]]);
}

type Kind = "delta" | "counter" | "gauge";
type Total = { readonly kind: Kind; value: number; lastMs: number; newestMs: number; startMs: number; row: number };
/** A sample of an overflow series; `row` is one of those it stands for. */
export type OverflowSample = {
  readonly row: number;
  readonly timeMs: number;
  readonly startMs: number;
  readonly value: number;
};

/**
 * Adds up series that have no place of their own. Deltas are added as they are. Of a counter the increases are added, from
 * the second sample of each series on. Of a gauge the newest values of those heard of lately are added.
 *
 * What is remembered of a series is two numbers by its reference in the table that is in use.
 */
export class OverflowTotals {
  readonly #maxTotals: number;
  readonly #totals = new Map<string, Total>();
  #totalOf: (Total | undefined)[] = [];
  #last = new Float64Array(0);
  #seenMs = new Float64Array(0);
  readonly #touched = new Set<Total>();

  constructor(maxTotals: number) {
    this.#maxTotals = maxTotals;
  }

  /** The table of series is another: references mean others now. Counters go on from where they are. */
  forgetSeries(): void {
    this.#totalOf = [];
    this.#last.fill(Number.NaN);
    for (const total of this.#totals.values()) if (total.kind === "gauge") total.value = 0;
  }

  /** False when there is no room for one more overflow series. `stale`: the series has ended. */
  add(
    row: number,
    ref: number,
    key: SeriesKey,
    timeMs: number,
    startMs: number,
    value: number,
    stale: boolean,
    nowMs: number,
  ): boolean {
    const total = this.#of(ref, key);
    if (!total) return false;
    if (!Number.isNaN(value) || stale) total.value += this.#change(total.kind, ref, value, stale);
    this.#seenMs[ref] = nowMs;
    if (stale) return true;
    if (!this.#touched.has(total)) {
      total.newestMs = 0;
      total.startMs = startMs;
      this.#touched.add(total);
    }
    total.row = row;
    total.newestMs = Math.max(total.newestMs, Math.min(timeMs, nowMs + MAX_AHEAD_MS));
    total.startMs = Math.min(total.startMs, startMs);
    return true;
  }

  /** Of the totals that were added to since the last call. Times of one series ascend. */
  take(): readonly OverflowSample[] {
    const samples: OverflowSample[] = [];
    for (const total of this.#touched) {
      const timeMs = total.newestMs > total.lastMs ? total.newestMs : total.lastMs + 1;
      const isDelta = total.kind === "delta";
      samples.push({ row: total.row, timeMs, startMs: isDelta ? total.startMs : 0, value: total.value });
      total.lastMs = timeMs;
      if (isDelta) total.value = 0;
    }
    this.#touched.clear();
    return samples;
  }

  /** Takes gauges that are silent out of their sums. */
  sweep(nowMs: number): void {
    for (const [ref, total] of this.#totalOf.entries()) {
      if (total?.kind !== "gauge" || nowMs - (this.#seenMs[ref] as number) <= SILENT_AFTER_MS) continue;
      total.value += this.#change("gauge", ref, Number.NaN, true);
    }
  }

  #change(kind: Kind, ref: number, value: number, stale: boolean): number {
    const last = this.#last[ref] as number;
    this.#last[ref] = stale ? Number.NaN : value;
    const isFirst = Number.isNaN(last);
    if (kind === "delta") return stale ? 0 : value;
    if (kind === "gauge") return (stale ? 0 : value) - (isFirst ? 0 : last);
    if (stale || isFirst) return 0;
    return value >= last ? value - last : value;
  }

  #of(ref: number, key: SeriesKey): Total | undefined {
    const known = this.#totalOf[ref];
    if (known) return known;
    this.#reserve(ref);
    const id = JSON.stringify(overflowLabels(key.labels));
    let total = this.#totals.get(id);
    if (!total) {
      if (this.#totals.size >= this.#maxTotals) return undefined;
      total = { kind: kindOf(key.labels, key.info), value: 0, lastMs: 0, newestMs: 0, startMs: 0, row: 0 };
      this.#totals.set(id, total);
    }
    this.#totalOf[ref] = total;
    return total;
  }

  #reserve(ref: number): void {
    if (ref < this.#last.length) return;
    const length = Math.max(1_024, 2 * ref);
    this.#last = grown(this.#last, length);
    this.#seenMs = grown(this.#seenMs, length);
  }
}

function kindOf(labels: Labels, { type, temporality }: SeriesInfo): Kind {
  if (temporality === "delta") return "delta";
  const isCounter = type === "counter" || (type !== "gauge" && COUNTER_NAME.test(labelValue(labels, METRIC_NAME)));
  return isCounter ? "counter" : "gauge";
}

function grown(array: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length).fill(Number.NaN);
  larger.set(array);
  return larger;
}

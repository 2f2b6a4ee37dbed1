import { type Labels, labelsKey } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type { ExemplarSample } from "@sightline/model/metric-batch.ts";
import type { LabelRequest, SeriesExemplars } from "@sightline/model/metric-store.ts";
import type { TimeSlice } from "./time-slice.ts";

type Exemplar = Omit<ExemplarSample, "ref">;
type Series = {
  readonly key: string;
  readonly labels: Labels;
  readonly exemplars: Exemplar[];
  /** Times of the exemplars, to rule out quickly that one is known. */
  readonly timesMs: Set<number>;
};

/** The newest exemplars of a tenant, up to a number; of one series each once. */
export class ExemplarStore {
  readonly #maxExemplars: number;
  readonly #series = new Map<string, Series>();
  /** Whose exemplar came when: a ring, oldest at `#oldest`. */
  readonly #arrivals: Series[] = [];
  #oldest = 0;

  constructor(maxExemplars: number) {
    this.#maxExemplars = maxExemplars;
  }

  get length(): number {
    return this.#arrivals.length;
  }

  /** False when the very exemplar is known. */
  append(labels: Labels, exemplar: Exemplar): boolean {
    if (this.#maxExemplars === 0) return false;
    const key = labelsKey(labels);
    let series = this.#series.get(key);
    if (!series) {
      series = { key, labels, exemplars: [], timesMs: new Set() };
      this.#series.set(key, series);
    }
    const maybeKnown = series.timesMs.has(exemplar.timeMs);
    if (maybeKnown && series.exemplars.some((other) => sameExemplar(other, exemplar))) return false;
    series.exemplars.push(exemplar);
    series.timesMs.add(exemplar.timeMs);
    if (this.#arrivals.length < this.#maxExemplars) this.#arrivals.push(series);
    else {
      this.#forget(this.#arrivals[this.#oldest] as Series);
      this.#arrivals[this.#oldest] = series;
      this.#oldest = (this.#oldest + 1) % this.#maxExemplars;
    }
    return true;
  }

  async select({ range, matchers, limit }: LabelRequest, slice: TimeSlice): Promise<SeriesExemplars[]> {
    const matches = compileMatchers(matchers);
    const found: SeriesExemplars[] = [];
    for (const { labels, exemplars } of [...this.#series.values()]) {
      if (slice.due) await slice.pause();
      if (!matches(labels)) continue;
      const inRange = exemplars.filter(({ timeMs }) => timeMs >= range.startMs && timeMs <= range.endMs);
      if (inRange.length === 0) continue;
      found.push({ labels, exemplars: inRange.sort((a, b) => a.timeMs - b.timeMs) });
      if (limit && found.length >= limit) break;
    }
    return found;
  }

  /** All of them by series, in no order. */
  all(): IterableIterator<SeriesExemplars> {
    return [...this.#series.values()].values();
  }

  #forget(series: Series): void {
    const gone = series.exemplars.shift();
    if (series.exemplars.length === 0) this.#series.delete(series.key);
    else if (gone && !series.exemplars.some(({ timeMs }) => timeMs === gone.timeMs)) series.timesMs.delete(gone.timeMs);
  }
}

function sameExemplar(a: Exemplar, b: Exemplar): boolean {
  return a.timeMs === b.timeMs && Object.is(a.value, b.value) && labelsKey(a.labels) === labelsKey(b.labels);
}

import { isStaleHistogram, type NativeHistogram, sameSpans } from "@sightline/model/histogram.ts";

/** Histogram samples of one series in the order they came. */
export class HistogramSamples {
  #timesMs: number[] = [];
  #startsMs: number[] = [];
  #values: NativeHistogram[] = [];
  #ascending = true;

  get length(): number {
    return this.#timesMs.length;
  }

  /** "duplicate" when the newest one has this time and another content; "known" when it has the same. */
  append(timeMs: number, startMs: number, value: NativeHistogram): "added" | "known" | "duplicate" {
    const newestMs = this.#timesMs.at(-1);
    if (newestMs === timeMs)
      return sameHistogram(this.#values.at(-1) as NativeHistogram, value) ? "known" : "duplicate";
    if (newestMs !== undefined && timeMs < newestMs) this.#ascending = false;
    this.#timesMs.push(timeMs);
    this.#startsMs.push(startMs);
    this.#values.push(value);
    return "added";
  }

  /** Those in the range, ascending in time, of several at one time the first. */
  inRange(startMs: number, endMs: number) {
    if (!this.#ascending) this.#sort();
    let from = 0;
    let to = this.#timesMs.length;
    while (from < to && (this.#timesMs[from] as number) < startMs) from++;
    while (to > from && (this.#timesMs[to - 1] as number) > endMs) to--;
    return {
      timesMs: this.#timesMs.slice(from, to),
      startsMs: this.#startsMs.slice(from, to),
      values: this.#values.slice(from, to),
    };
  }

  #sort(): void {
    const times = this.#timesMs;
    const order = times.map((_, i) => i).sort((a, b) => (times[a] as number) - (times[b] as number));
    const kept = order.filter((index, i) => i === 0 || times[index] !== times[order[i - 1] as number]);
    this.#timesMs = kept.map((i) => times[i] as number);
    this.#startsMs = kept.map((i) => this.#startsMs[i] as number);
    this.#values = kept.map((i) => this.#values[i] as NativeHistogram);
    this.#ascending = true;
  }
}

function sameHistogram(a: NativeHistogram, b: NativeHistogram): boolean {
  if (a === b) return true;
  if (isStaleHistogram(a) || isStaleHistogram(b)) return false;
  return (
    a.schema === b.schema &&
    a.count === b.count &&
    Object.is(a.sum, b.sum) &&
    a.zeroCount === b.zeroCount &&
    a.zeroThreshold === b.zeroThreshold &&
    a.counterResetHint === b.counterResetHint &&
    sameSpans(a.positiveSpans, b.positiveSpans) &&
    sameSpans(a.negativeSpans, b.negativeSpans) &&
    sameNumbers(a.positiveBuckets, b.positiveBuckets) &&
    sameNumbers(a.negativeBuckets, b.negativeBuckets) &&
    sameNumbers(a.customValues, b.customValues)
  );
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

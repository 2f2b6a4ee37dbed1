import type {
  ExemplarSample,
  HistogramSample,
  MetricBatch,
  MetricMetadata,
  SeriesKey,
} from "@sightline/model/metric-batch.ts";
import { wordsOf, writeNormalNan, writeStale } from "@sightline/model/stale.ts";

/**
 * Grows the columns of a {@link MetricBatch}. A hot loop may keep `refs`, `timesMs`, `values` and `length` in locals; it
 * calls {@link reserve} before it writes beyond `capacity`, and takes the arrays anew after that.
 */
export class MetricBatchBuilder {
  length = 0;
  capacity: number;
  refs: Uint32Array;
  timesMs: Float64Array;
  values: Float64Array;
  /** The memory of `values`, for NaNs (stale.ts). */
  words: Uint32Array;
  /** Made when the first start time is known. */
  startsMs: Float64Array | undefined;
  readonly histograms: HistogramSample[] = [];
  readonly exemplars: ExemplarSample[] = [];
  readonly metadata: MetricMetadata[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.refs = new Uint32Array(capacity);
    this.timesMs = new Float64Array(capacity);
    this.values = new Float64Array(capacity);
    this.words = wordsOf(this.values);
  }

  /** Makes room for `count` rows after `length`. */
  reserve(count: number): void {
    if (this.length + count <= this.capacity) return;
    this.capacity = Math.max(this.capacity * 2, this.length + count);
    const { refs, timesMs, values, startsMs } = this;
    this.refs = new Uint32Array(this.capacity);
    this.refs.set(refs);
    this.timesMs = grown(timesMs, this.capacity);
    this.values = grown(values, this.capacity);
    this.words = wordsOf(this.values);
    if (startsMs) this.startsMs = grown(startsMs, this.capacity);
  }

  /** Adds a row. The value must not be NaN: see {@link pushNan}. */
  push(ref: number, timeMs: number, startMs: number, value: number): void {
    if (this.length === this.capacity) this.reserve(1);
    const row = this.length++;
    this.refs[row] = ref;
    this.timesMs[row] = timeMs;
    this.values[row] = value;
    if (startMs !== 0 || this.startsMs) this.setStart(row, startMs);
  }

  /** Adds a row whose value is the staleness marker or the normal NaN. */
  pushNan(ref: number, timeMs: number, startMs: number, stale: boolean): void {
    this.push(ref, timeMs, startMs, 0);
    if (stale) writeStale(this.words, this.length - 1);
    else writeNormalNan(this.words, this.length - 1);
  }

  setStart(row: number, startMs: number): void {
    this.startsMs ??= new Float64Array(this.capacity);
    this.startsMs[row] = startMs;
  }

  build(series: readonly SeriesKey[]): MetricBatch {
    const { length, refs, timesMs, values, startsMs, histograms, exemplars, metadata } = this;
    return { length, series, refs, timesMs, values, startsMs, histograms, exemplars, metadata };
  }
}

function grown(array: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity);
  larger.set(array);
  return larger;
}

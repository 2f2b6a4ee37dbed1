import type { LogCountRequest } from "@sightline/model/log-store.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";

/** Rows of one bucket and, where they are known, the bytes of their bodies. False ends the walk. */
export type BucketVisitor = (bucket: number, count: number, bytes: number) => boolean;

export type StreamTimesColumns = {
  /** Of all streams, one behind the other in the order of the segment's index, ascending in each: ns since `baseNs`. */
  readonly times: Float64Array;
  /** Bytes of the bodies up to this row, that one included. */
  readonly sizes: Float64Array | undefined;
};

/**
 * When the rows of a segment are, by stream: so rows are counted by looking up where a span begins and ends. A segment
 * is of one day, so that numbers are exact.
 */
export class StreamTimes {
  readonly #baseNs: bigint;
  readonly #columns: StreamTimesColumns;
  /** Where the rows of each stream end. */
  readonly #ends: Uint32Array;

  constructor(baseNs: bigint, ends: Uint32Array, columns: StreamTimesColumns) {
    this.#baseNs = baseNs;
    this.#ends = ends;
    this.#columns = columns;
  }

  get bytes(): number {
    const { times, sizes } = this.#columns;
    return times.byteLength + (sizes?.byteLength ?? 0) + this.#ends.byteLength;
  }

  get hasSizes(): boolean {
    return this.#columns.sizes !== undefined;
  }

  hasRows(stream: number, { startNs, endNs }: TimeRangeNs): boolean {
    return this.#place(stream, startNs) < this.#place(stream, endNs);
  }

  /** Visits the buckets that have rows of the stream, ascending. False when the visitor ended it. */
  eachBucket(
    stream: number,
    { range, bucketNs }: Pick<LogCountRequest, "range" | "bucketNs">,
    visit: BucketVisitor,
  ): boolean {
    const { startNs, endNs } = range;
    const end = this.#place(stream, endNs);
    for (let at = this.#place(stream, startNs); at < end; ) {
      const timeNs = this.#baseNs + BigInt(this.#columns.times[at] as number);
      const bucket = (timeNs - startNs) / bucketNs;
      const next = this.#firstFrom(at, end, this.#sinceBase(startNs + (bucket + 1n) * bucketNs));
      if (!visit(Number(bucket), next - at, this.#sizeOf(at, next))) return false;
      at = next;
    }
    return true;
  }

  /**
   * The part of the range that has the first `rows` rows of these streams, or a few more of the same time; the range when
   * there are not so many.
   */
  narrowed(streams: readonly number[], range: TimeRangeNs, rows: number, newestFirst: boolean): TimeRangeNs {
    const spans = streams.map(
      (stream) => [this.#place(stream, range.startNs), this.#place(stream, range.endNs)] as const,
    );
    if (spans.reduce((sum, [from, to]) => sum + to - from, 0) <= rows) return range;
    const countBefore = (time: number) =>
      spans.reduce((sum, [from, to]) => sum + this.#firstFrom(from, to, time) - from, 0);
    const countFrom = (time: number) =>
      spans.reduce((sum, [from, to]) => sum + to - this.#firstFrom(from, to, time), 0);
    const times = spans.filter(([from, to]) => from < to).map(([from, to]) => this.#extentOf(from, to));
    // Of rows in [low, high) there are enough; the bounds close in on the time of the last row.
    let low = Math.min(...times.map(({ first }) => first));
    let high = Math.max(...times.map(({ last }) => last)) + 1;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      const isEnough = newestFirst ? countFrom(middle) >= rows : countBefore(middle) >= rows;
      if (isEnough === newestFirst) low = middle;
      else high = middle;
    }
    if (newestFirst) return { ...range, startNs: this.#baseNs + BigInt(low) };
    return { ...range, endNs: this.#baseNs + BigInt(high) };
  }

  #extentOf(from: number, to: number): { readonly first: number; readonly last: number } {
    const { times } = this.#columns;
    return { first: times[from] as number, last: times[to - 1] as number };
  }

  #sizeOf(from: number, to: number): number {
    const { sizes } = this.#columns;
    if (!sizes) return 0;
    return (sizes[to - 1] as number) - (from === 0 ? 0 : (sizes[from - 1] as number));
  }

  /** The first row of the stream at or after the time, or where they end. */
  #place(stream: number, timeNs: bigint): number {
    const from = stream === 0 ? 0 : (this.#ends[stream - 1] as number);
    return this.#firstFrom(from, this.#ends[stream] as number, this.#sinceBase(timeNs));
  }

  /** Not exact beyond a hundred days, where no row is. */
  #sinceBase(timeNs: bigint): number {
    return Number(timeNs - this.#baseNs);
  }

  #firstFrom(from: number, to: number, time: number): number {
    const { times } = this.#columns;
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

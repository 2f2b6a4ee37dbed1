import type { LogCountRequest } from "@sightline/model/log-store.ts";

const NS_PER_MS = 1_000_000n;
/** OpenSearch refuses queries of more than 1,024 clauses, and lists of more than 65,536 terms. */
const MAX_RANGES = 500;
const MAX_TERMS = 10_000;

/**
 * Buckets of a request as OpenSearch can make them: of whole milliseconds. Where the request's begin some nanoseconds later, rows
 * of just those nanoseconds belong to the bucket before: they are asked for by themselves.
 */
export class CountBuckets {
  readonly #request: Pick<LogCountRequest, "range" | "bucketNs">;
  readonly #shiftNs: bigint;
  readonly #firstMs: number;
  readonly #lengthMs: number;

  private constructor(request: Pick<LogCountRequest, "range" | "bucketNs">) {
    this.#request = request;
    const { range, bucketNs } = request;
    this.#shiftNs = range.startNs % NS_PER_MS;
    this.#firstMs = Number(range.startNs / NS_PER_MS);
    this.#lengthMs = Number(bucketNs / NS_PER_MS);
  }

  /** Undefined when OpenSearch can't make them: dates end before times do. */
  static of(request: Pick<LogCountRequest, "range" | "bucketNs">): CountBuckets | undefined {
    const { range, bucketNs } = request;
    if (range.startNs < 0n || range.endNs > 2n ** 63n - 1n || bucketNs % NS_PER_MS !== 0n) return undefined;
    const buckets = new CountBuckets(request);
    const isTooMany = buckets.#count > (buckets.#shiftNs === 1n ? MAX_TERMS : MAX_RANGES);
    return buckets.#shiftNs > 0n && isTooMany ? undefined : buckets;
  }

  get #count(): bigint {
    const { range, bucketNs } = this.#request;
    return (range.endNs - range.startNs + bucketNs - 1n) / bucketNs;
  }

  /** As a source of a composite aggregation. */
  get source(): object {
    const { offset } = this;
    return { date_histogram: { field: "timestamp", fixed_interval: `${this.#lengthMs}ms`, offset: `${offset}ms` } };
  }

  private get offset(): number {
    return this.#firstMs % this.#lengthMs;
  }

  /** The number of the bucket that has the key. */
  numberOf(key: number): number {
    return Math.round((key - this.#firstMs) / this.#lengthMs);
  }

  /** Finds rows that belong to the bucket before; undefined when there can be none. */
  get early(): object | undefined {
    const { range, bucketNs } = this.#request;
    if (this.#shiftNs === 0n) return undefined;
    const starts: bigint[] = [];
    for (let at = range.startNs - this.#shiftNs + bucketNs; at < range.endNs; at += bucketNs) starts.push(at);
    if (starts.length === 0) return undefined;
    if (this.#shiftNs === 1n) return { terms: { time_ns: starts.map(String) } };
    const should = starts.map((at) => ({ range: { time_ns: { gte: String(at), lt: String(at + this.#shiftNs) } } }));
    return { bool: { should, minimum_should_match: 1 } };
  }
}

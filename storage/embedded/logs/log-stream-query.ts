import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { StreamRequest } from "@sightline/model/ports.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { StreamInterner } from "./log-batch-builder.ts";
import { LogScope, type LogSegmentStore } from "./log-scope.ts";
import type { IndexedStream } from "./log-segment-index.ts";
import { sqlOfStreamQuery } from "./segment-log-source.ts";

/** Which streams have records, on one snapshot. */
export class LogStreamQuery {
  readonly #scope: LogScope;
  readonly #request: StreamRequest;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(store: LogSegmentStore, request: StreamRequest, signal: AbortSignal) {
    this.#scope = new LogScope(store, { ...request, line: [] }, signal);
    this.#request = request;
  }

  async run(): Promise<readonly LogStream[]> {
    const { store, signal } = this.#scope;
    signal.throwIfAborted();
    const interner = new StreamInterner();
    const found = new Set<LogStream>();
    const snapshot = store.snapshot(this.#request.tenant);
    try {
      for (const { batch } of snapshot.hot.filter((hot) => this.#scope.overlaps(hot))) {
        for (const stream of await this.#streamsOfBatch(batch)) found.add(interner.intern(stream));
      }
      for (const segment of snapshot.segments.filter(({ info }) => this.#scope.overlaps(info))) {
        for (const stream of await this.#streamsOfSegment(segment)) found.add(interner.intern(stream));
      }
    } finally {
      snapshot.release();
    }
    return [...found];
  }

  async #streamsOfBatch(batch: LogBatch): Promise<LogStream[]> {
    const { startNs, endNs } = this.#request.range;
    const wanted = batch.streams.map(this.#scope.matchesStream);
    const found = new Set<number>();
    for (let row = 0; row < batch.length; row++) {
      const ref = batch.streamRefs[row] as number;
      if (!wanted[ref]) continue;
      const time = batch.timesNs[row] as bigint;
      if (time < startNs || time >= endNs) continue;
      found.add(ref);
      // The rest can only tell of the same stream, or of another that has not been found.
      wanted[ref] = false;
    }
    if (this.#scope.breather.due) await this.#scope.pause();
    return [...found].map((ref) => batch.streams[ref] as LogStream);
  }

  async #streamsOfSegment(segment: Segment): Promise<readonly LogStream[]> {
    const { range } = this.#request;
    const index = await this.#scope.store.withIndex(segment, (known) => known);
    if (!index) return [];
    const isKept = this.#scope.keeps(segment);
    const isInside = (timeNs: bigint) => timeNs >= range.startNs && timeNs < range.endNs;
    // The index counts deleted rows, too: then only the rows can tell.
    const sure = (stream: IndexedStream) =>
      segment.deleted.length === 0 && (isInside(stream.minNs) || isInside(stream.maxNs));
    const numbers = await this.#scope.matchingStreams(index, (stream) => sure(stream) && isKept(stream));
    // Streams that begin before the range and end after it: only their rows can tell.
    const unsure = await this.#scope.matchingStreams(
      index,
      (stream) => this.#scope.overlaps(stream) && !sure(stream) && isKept(stream),
    );
    if (unsure.length > 0) {
      const { rows, release } = this.#scope.store.lease(segment);
      try {
        const sql = sqlOfStreamQuery({ segment: rows, index, streams: unsure, range });
        for await (const chunk of this.#scope.store.database.stream(sql, [], this.#scope.signal)) {
          numbers.push(...(chunk.getColumnValues(0) as number[]));
        }
      } finally {
        release();
      }
    }
    return numbers.map((number) => (index.streams[number] as IndexedStream).stream);
  }
}

import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import type { StreamRequest } from "@sightline/model/log-store.ts";
import type { HotBatch } from "../segments/hot-buffer.ts";
import type { Segment } from "../segments/segment-directory.ts";
import { StreamInterner } from "./log-batch-builder.ts";
import { type LogReader, LogScope } from "./log-scope.ts";
import type { IndexedStream } from "./log-segment-index.ts";
import { sqlOfStreamQuery } from "./segment-log-source.ts";
import type { SegmentTimes } from "./segment-times.ts";

/** A batch may name streams of which it has no rows. */
const used = new WeakMap<LogBatch, readonly LogStream[]>();

function usedStreams(batch: LogBatch): readonly LogStream[] {
  let streams = used.get(batch);
  if (!streams) {
    streams = Array.from(new Set(batch.streamRefs), (ref) => batch.streams[ref] as LogStream);
    used.set(batch, streams);
  }
  return streams;
}

/** Which streams have records, on one snapshot. */
export class LogStreamQuery {
  readonly #scope: LogScope;
  readonly #request: StreamRequest;
  readonly #times: SegmentTimes;

  /** Throws `InvalidInputError` for a regular expression that is not valid. */
  constructor(reader: LogReader, times: SegmentTimes, request: StreamRequest, signal: AbortSignal) {
    this.#times = times;
    this.#scope = new LogScope(reader, { ...request, line: [] }, signal);
    this.#request = request;
  }

  async run(): Promise<readonly LogStream[]> {
    const { reader, signal } = this.#scope;
    signal.throwIfAborted();
    const interner = new StreamInterner();
    const found = new Set<LogStream>();
    const snapshot = reader.snapshot(this.#request.tenant);
    try {
      for (const hot of snapshot.hot.filter((one) => this.#scope.overlaps(one))) {
        for (const stream of this.#streamsOfBatch(hot)) found.add(interner.intern(stream));
        if (this.#scope.breather.due) await this.#scope.pause();
      }
      for (const segment of snapshot.segments.filter(({ info }) => this.#scope.overlaps(info))) {
        for (const stream of await this.#streamsOfSegment(segment)) found.add(interner.intern(stream));
      }
    } finally {
      snapshot.release();
    }
    return [...found];
  }

  #streamsOfBatch({ batch, minNs, maxNs }: HotBatch<LogBatch>): readonly LogStream[] {
    const { startNs, endNs } = this.#request.range;
    const isInside = startNs <= minNs && maxNs < endNs;
    const found = isInside ? usedStreams(batch) : this.#streamsInRange(batch);
    return found.filter(this.#scope.matchesStream);
  }

  #streamsInRange({ length, streams, streamRefs, timesNs }: LogBatch): readonly LogStream[] {
    const { startNs, endNs } = this.#request.range;
    const found = new Set<number>();
    for (let row = 0; row < length; row++) {
      const ref = streamRefs[row] as number;
      if (found.has(ref)) continue;
      const time = timesNs[row] as bigint;
      if (time >= startNs && time < endNs) found.add(ref);
    }
    return Array.from(found, (ref) => streams[ref] as LogStream);
  }

  async #streamsOfSegment(segment: Segment): Promise<readonly LogStream[]> {
    const { range } = this.#request;
    const index = await this.#scope.reader.withIndex(segment, (known) => known);
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
    const known = unsure.length > 0 ? this.#times.of(segment) : undefined;
    if (known) numbers.push(...unsure.filter((number) => known.hasRows(number, range)));
    else if (unsure.length > 0) {
      const { rows, release } = this.#scope.reader.lease(segment);
      try {
        const sql = sqlOfStreamQuery({ segment: rows, index, streams: unsure, range });
        for await (const chunk of this.#scope.reader.database.stream(sql, [], this.#scope.signal)) {
          numbers.push(...(chunk.getColumnValues(0) as number[]));
        }
      } finally {
        release();
      }
    }
    return numbers.map((number) => (index.streams[number] as IndexedStream).stream);
  }
}

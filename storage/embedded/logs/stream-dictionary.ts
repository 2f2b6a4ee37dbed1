import type { LogStream } from "@sightline/model/log-batch.ts";
import { type IndexedStream, sortKey, streamKey } from "./log-segment-index.ts";

type Entry = { readonly stream: LogStream; readonly key: string; rows: number; minNs: bigint; maxNs: bigint };

/** Collects the streams of a segment to be, equal ones once, with what their rows span. */
export class StreamDictionary {
  readonly #byKey = new Map<string, Entry>();
  readonly #byObject = new WeakMap<LogStream, Entry>();

  entryOf(stream: LogStream): Entry {
    const known = this.#byObject.get(stream);
    if (known) return known;
    const key = streamKey(stream);
    let entry = this.#byKey.get(key);
    if (!entry) {
      entry = { stream, key, rows: 0, minNs: 2n ** 63n, maxNs: -(2n ** 63n) };
      this.#byKey.set(key, entry);
    }
    this.#byObject.set(stream, entry);
    return entry;
  }

  /** Those that have rows, in the order of the file, and their numbers there. */
  finish(): { readonly streams: readonly IndexedStream[]; readonly numberOf: (stream: LogStream) => number } {
    const sorted = [...this.#byKey.values()]
      .filter(({ rows }) => rows > 0)
      .map((entry) => ({ entry, sort: sortKey(entry.stream) + entry.key }))
      .sort((a, b) => (a.sort < b.sort ? -1 : a.sort > b.sort ? 1 : 0))
      .map(({ entry }) => entry);
    const numbers = new Map(sorted.map((entry, number) => [entry, number]));
    return { streams: sorted, numberOf: (stream) => numbers.get(this.entryOf(stream)) ?? -1 };
  }
}

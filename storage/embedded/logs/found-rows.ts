import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import { approximateAttributeBytes, approximateTextBytes } from "../segments/pick-rows.ts";
import { pickLogRows } from "./log-batch-rows.ts";

/** The first `limit` rows of a range. */
export type WantedRows = {
  /** Beyond the first or the last row of a segment it should be open, so that later ranges are in it. */
  readonly range: TimeRangeNs;
  readonly newestFirst: boolean;
  readonly limit: number;
};

type Entry = {
  /** All rows of the range that there are, and perhaps some right behind it, in the order asked for. */
  readonly batch: LogBatch;
  readonly range: TimeRangeNs;
  readonly newestFirst: boolean;
  readonly bytes: number;
};

/** A larger part of the memory is not worth what one query has found. */
const MAX_SHARE = 1 / 8;
const MAX_KEY_CHARACTERS = 4_000;
const ROW_BYTES = 200;

/**
 * Keeps what queries with a limit have found in segments, which never change: dashboards and alert rules ask the same of
 * other times again and again, and need not search old rows for it. Those used longest ago go first.
 */
export class FoundRows {
  readonly #maxBytes: number;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Forgets half of it. */
  shrink(): void {
    this.#evictTo(this.#bytes / 2);
  }

  /** Undefined when it is not known. `key` says what was looked for, and where. */
  get(key: string, { range, newestFirst, limit }: WantedRows): LogBatch | undefined {
    const entry = this.#entries.get(key);
    if (!entry || entry.newestFirst !== newestFirst) return undefined;
    const [from, to] = placesOf(entry, range);
    const startIsKnown = entry.range.startNs <= range.startNs;
    const endIsKnown = range.endNs <= entry.range.endNs;
    const beginIsKnown = newestFirst ? endIsKnown : startIsKnown;
    if (!(startIsKnown && endIsKnown) && !(beginIsKnown && to - from >= limit)) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return rowsOf(entry.batch, from, Math.min(to, from + limit));
  }

  /** `batch` is what was found, in order; all of its rows have been loaded. */
  set(key: string, { range, newestFirst, limit }: WantedRows, batch: LogBatch): void {
    const bytes =
      2 * key.length +
      batch.length * ROW_BYTES +
      approximateTextBytes(batch.bodies) +
      approximateAttributeBytes(batch.attributes);
    if (key.length > MAX_KEY_CHARACTERS || bytes > MAX_SHARE * this.#maxBytes) return;
    this.#drop(key);
    const last = batch.timesNs[batch.length - 1];
    // Of the last time there may be more.
    const isCut = batch.length >= limit && last !== undefined;
    const cut = newestFirst ? { ...range, startNs: (last ?? 0n) + 1n } : { ...range, endNs: last ?? 0n };
    this.#entries.set(key, { batch, range: isCut ? cut : range, newestFirst, bytes });
    this.#bytes += bytes;
    this.#evictTo(this.#maxBytes);
  }

  #evictTo(bytes: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#bytes <= bytes) return;
      this.#drop(key);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** The first row in the range, and the one behind the last. */
function placesOf({ batch: { timesNs, length }, newestFirst }: Entry, { startNs, endNs }: TimeRangeNs) {
  const isBefore = (time: bigint) => (newestFirst ? time >= endNs : time < startNs);
  const isBehind = (time: bigint) => (newestFirst ? time < startNs : time >= endNs);
  let from = 0;
  while (from < length && isBefore(timesNs[from] as bigint)) from++;
  let to = from;
  while (to < length && !isBehind(timesNs[to] as bigint)) to++;
  return [from, to] as const;
}

function rowsOf(batch: LogBatch, from: number, to: number): LogBatch {
  if (from === 0 && to === batch.length) return batch;
  return pickLogRows(
    batch,
    Uint32Array.from({ length: to - from }, (_, i) => from + i),
  );
}

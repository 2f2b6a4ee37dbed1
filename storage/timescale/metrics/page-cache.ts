import type { Counter } from "prom-client";
import { type OpenPage, openPage } from "./page-codec.ts";

export type PageCacheOptions = {
  /** 0: nothing is kept. */
  readonly maxBytes: number;
  readonly requests: Counter<"result">;
};
/** A page as it is stored, and what it is. */
type Kept = { readonly bytes: Buffer; readonly page: OpenPage; readonly size: number };

/** What the head of a page has of one series, in memory. */
const ENTRY_BYTES = 150;
const HASHED_BYTES = 64;
const FNV_PRIME = 16_777_619;

/**
 * Pages that were decompressed lately, found by all of their bytes as they are stored: whatever the database does with its rows, a
 * page that is found is that page. Sending them costs PostgreSQL little; decompressing takes a third of what reading a day does.
 */
export class PageCache {
  readonly #options: PageCacheOptions;
  /** The one that was asked for last is last. */
  readonly #pages = new Map<number, Kept>();
  /** What it holds, about. */
  bytes = 0;

  constructor(options: PageCacheOptions) {
    this.#options = options;
  }

  /** Keeps nothing of `bytes`. The page may be in use elsewhere: it is read without a pause in between. Throws `CorruptionError`. */
  open(bytes: Uint8Array): OpenPage {
    const { maxBytes, requests } = this.#options;
    if (maxBytes === 0) return openPage(bytes);
    const key = keyOf(bytes);
    const known = this.#pages.get(key);
    const isHit = known?.bytes.equals(bytes) === true;
    requests.inc({ result: isHit ? "hit" : "miss" });
    if (known) this.#remove(key, known);
    if (isHit) {
      this.#add(key, known);
      return known.page;
    }
    const page = openPage(bytes);
    const size = bytes.length + page.reader.bytes.length + page.ids.length * ENTRY_BYTES;
    if (size <= maxBytes) this.#add(key, { bytes: Buffer.from(bytes), page, size });
    for (const [oldest, kept] of this.#pages) {
      if (this.bytes <= maxBytes) break;
      this.#remove(oldest, kept);
    }
    return page;
  }

  clear(): void {
    this.#pages.clear();
    this.bytes = 0;
  }

  #add(key: number, kept: Kept): void {
    this.#pages.set(key, kept);
    this.bytes += kept.size;
  }

  #remove(key: number, kept: Kept): void {
    this.#pages.delete(key);
    this.bytes -= kept.size;
  }
}

/** Of the length, the beginning, where the ids of series are, and the end: those of different pages hardly ever agree. */
function keyOf(bytes: Uint8Array): number {
  let hash = 0;
  const add = (from: number, to: number) => {
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
  };
  const { length } = bytes;
  add(0, Math.min(length, HASHED_BYTES));
  add(Math.max(0, length - HASHED_BYTES), length);
  return (hash >>> 0) * 2 ** 20 + (length % 2 ** 20);
}

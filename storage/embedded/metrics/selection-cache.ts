import type { Matcher } from "@sightline/model/matcher.ts";
import type { Awaitable } from "./awaitable.ts";
import { ByteCache } from "./byte-cache.ts";
import { selectSeries } from "./select-series.ts";
import type { LabelIndex, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Longer lists are quick to read compared to what is done with them. */
const MAX_ITEMS = 65_536;
const MAX_KEY_LENGTH = 1_000;
const BYTES_PER_SERIES = 8;
/** With the text, which is that of the index, as long as that is in memory. */
const BYTES_PER_LABEL = 64;
const ENTRY_BYTES = 200;

type Kept = { readonly items: readonly (number | string)[]; readonly bytes: number };

/**
 * Which series of a source match, and which labels those have, of what was asked lately: dashboards ask the same again and
 * again. Only for sources that never get more series, so nothing in here can become wrong.
 */
export class SelectionCache {
  readonly #kept: ByteCache<Kept>;

  constructor(maxBytes: number) {
    this.#kept = new ByteCache(maxBytes);
  }

  get bytes(): number {
    return this.#kept.bytes;
  }

  shrink(): void {
    this.#kept.shrink();
  }

  /** As {@link selectSeries}. `key` is {@link keyOfMatchers} of the matchers. */
  select(
    source: LabelIndex & Pick<SeriesSource, "key" | "isFixed">,
    matchers: readonly Matcher[],
    key: string,
    slice: TimeSlice,
  ): Awaitable<readonly number[]> {
    return this.#find(source, key, BYTES_PER_SERIES, () => selectSeries(source, matchers, slice));
  }

  /** The names of the labels of those series, or with `name` the values of that label, which `collect` finds out. */
  labels(
    source: Pick<SeriesSource, "key" | "isFixed">,
    key: string,
    name: string | undefined,
    collect: () => Promise<readonly string[]>,
  ): Awaitable<readonly string[]> {
    const what = name === undefined ? "names" : `values ${name.length} ${name}`;
    return this.#find(source, `${what} ${key}`, BYTES_PER_LABEL, collect);
  }

  #find<T extends number | string>(
    source: Pick<SeriesSource, "key" | "isFixed">,
    key: string,
    bytesPerItem: number,
    find: () => Promise<readonly T[]>,
  ): Awaitable<readonly T[]> {
    if (!source.isFixed || key.length > MAX_KEY_LENGTH) return find();
    const keyHere = `${source.key} ${key}`;
    const known = this.#kept.get(keyHere);
    return known ? (known.items as readonly T[]) : this.#findAnew(keyHere, bytesPerItem, find);
  }

  async #findAnew<T extends number | string>(
    key: string,
    bytesPerItem: number,
    find: () => Promise<readonly T[]>,
  ): Promise<readonly T[]> {
    const items = await find();
    if (items.length <= MAX_ITEMS) {
      this.#kept.set(key, { items, bytes: ENTRY_BYTES + 2 * key.length + bytesPerItem * items.length });
    }
    return items;
  }
}

/** The same for the same matchers in the same order only. Begins with a digit. */
export function keyOfMatchers(matchers: readonly Matcher[]): string {
  let key = "";
  // With their lengths, as names and values may have any character.
  for (const { name, op, value } of matchers) key += `${name.length} ${name}${op}${value.length} ${value}`;
  return key;
}

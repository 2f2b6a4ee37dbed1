import type { Matcher } from "@sightline/model/matcher.ts";
import { ByteCache } from "./byte-cache.ts";
import { selectSeries } from "./select-series.ts";
import type { LabelIndex, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Longer lists are quick to read compared to what is done with them. */
const MAX_SERIES = 65_536;
const MAX_KEY_LENGTH = 1_000;
const BYTES_PER_SERIES = 8;
const ENTRY_BYTES = 200;

type Selection = { readonly ids: readonly number[]; readonly bytes: number };

/**
 * Which series of a source match, of what was asked lately: dashboards ask the same again and again. Only for sources that
 * never get more series, so nothing in here can become wrong.
 */
export class SelectionCache {
  readonly #selections: ByteCache<Selection>;

  constructor(maxBytes: number) {
    this.#selections = new ByteCache(maxBytes);
  }

  get bytes(): number {
    return this.#selections.bytes;
  }

  shrink(): void {
    this.#selections.shrink();
  }

  /** As {@link selectSeries}. `key` is {@link keyOfMatchers} of the matchers. */
  async select(
    source: LabelIndex & Pick<SeriesSource, "key" | "isFixed">,
    matchers: readonly Matcher[],
    key: string,
    slice: TimeSlice,
  ): Promise<readonly number[]> {
    if (!source.isFixed || key.length > MAX_KEY_LENGTH) return selectSeries(source, matchers, slice);
    const keyHere = `${source.key} ${key}`;
    const known = this.#selections.get(keyHere);
    if (known) return known.ids;
    const ids = await selectSeries(source, matchers, slice);
    if (ids.length <= MAX_SERIES) {
      const bytes = ENTRY_BYTES + 2 * keyHere.length + BYTES_PER_SERIES * ids.length;
      this.#selections.set(keyHere, { ids, bytes });
    }
    return ids;
  }
}

/** The same for the same matchers in the same order only. */
export function keyOfMatchers(matchers: readonly Matcher[]): string {
  let key = "";
  // With their lengths, as names and values may have any character.
  for (const { name, op, value } of matchers) key += `${name.length} ${name}${op}${value.length} ${value}`;
  return key;
}

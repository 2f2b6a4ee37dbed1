import type { SeriesSamples } from "@sightline/model/downsampling/downsample-series.ts";

const NONE: SeriesSamples = { timesMs: new Float64Array(0), values: new Float64Array(0) };

/** Puts samples of one series together that come from several places. Times that are joined again are the same array. */
export class SampleJoiner {
  readonly #joined = new WeakMap<Float64Array, WeakMap<Float64Array, Float64Array>>();

  /** Of equal times those of the part that comes first count. Each part ascends in time. */
  join(all: readonly SeriesSamples[]): SeriesSamples {
    const parts = all.filter(({ timesMs }) => timesMs.length > 0);
    if (parts.length < 2) return parts[0] ?? NONE;
    const inOrder = parts.toSorted((a, b) => (a.timesMs[0] as number) - (b.timesMs[0] as number));
    return isApart(inOrder) ? this.#concatenated(inOrder) : merged(parts);
  }

  #concatenated(parts: readonly SeriesSamples[]): SeriesSamples {
    return {
      timesMs: parts.map(({ timesMs }) => timesMs).reduce((before, after) => this.#timesOf(before, after)),
      ...columnsOf(parts),
    };
  }

  #timesOf(before: Float64Array, after: Float64Array): Float64Array {
    let known = this.#joined.get(before);
    if (!known) {
      known = new WeakMap();
      this.#joined.set(before, known);
    }
    let timesMs = known.get(after);
    if (!timesMs) {
      timesMs = concatenated([before, after]);
      known.set(after, timesMs);
    }
    return timesMs;
  }
}

function isApart(parts: readonly SeriesSamples[]): boolean {
  return parts.every(({ timesMs }, i) => i === 0 || (timesMs[0] as number) > (parts[i - 1]?.timesMs.at(-1) as number));
}

/** All but the times, one part behind the other. */
function columnsOf(parts: readonly SeriesSamples[]): Omit<SeriesSamples, "timesMs"> {
  const filled = (length: number, value: number) => new Float64Array(length).fill(value);
  const startsMs = parts.some((part) => part.startsMs)
    ? concatenated(parts.map((part) => part.startsMs ?? filled(part.timesMs.length, 0)))
    : undefined;
  const counts = parts.some((part) => part.counts)
    ? concatenated(parts.map((part) => part.counts ?? filled(part.timesMs.length, 1)))
    : undefined;
  const values = concatenated(parts.map((part) => part.values));
  return { values, ...(startsMs && { startsMs }), ...(counts && { counts }) };
}

function concatenated(arrays: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/** Late samples lie between those of windows. */
function merged(parts: readonly SeriesSamples[]): SeriesSamples {
  const timesMs = concatenated(parts.map((part) => part.timesMs));
  const { values, startsMs, counts } = columnsOf(parts);
  const order = Uint32Array.from(timesMs, (_, i) => i).sort(
    (a, b) => (timesMs[a] as number) - (timesMs[b] as number) || a - b,
  );
  const places = order.filter((place, i) => i === 0 || timesMs[place] !== timesMs[order[i - 1] as number]);
  // Element by element, because that keeps the bits of staleness markers.
  const picked = (column: Float64Array) => {
    const to = new Float64Array(places.length);
    for (let i = 0; i < places.length; i++) to[i] = column[places[i] as number] as number;
    return to;
  };
  return {
    timesMs: picked(timesMs),
    values: picked(values),
    ...(startsMs && { startsMs: picked(startsMs) }),
    ...(counts && { counts: picked(counts) }),
  };
}

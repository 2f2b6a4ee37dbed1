import type { SeriesKey } from "@sightline/model/metric-batch.ts";

/** After so many batches of other tables than the one remembered, that of the last batch is remembered instead. */
const MAX_STRAYS = 64;
const NONE = new Int32Array(0);

/**
 * The numbers that a head has given to the series of batches, by their reference in `MetricBatch.series`. That table is
 * shared by all batches of a decoder, so a sample of a known series is taken without touching an object: with 20,000
 * series each look at a key is a miss of the processor's cache. One table at a time; others take the slow way.
 */
export class SeriesIds {
  #series: readonly SeriesKey[] = [];
  /** By reference: the number + 1, 0 when it is not known. */
  #ids = new Int32Array(0);
  /** By number: the reference + 1 that is known for it, 0 for none. */
  #refs = new Int32Array(1024);
  #strays = 0;

  /** Numbers + 1 by reference, 0 for those to be looked up; valid until the next call. */
  of(series: readonly SeriesKey[]): Int32Array {
    if (series !== this.#series) {
      if (this.#series.length > 0 && ++this.#strays < MAX_STRAYS) return NONE;
      this.#series = series;
      this.#ids = new Int32Array(series.length);
      this.#refs.fill(0);
    }
    this.#strays = 0;
    if (series.length > this.#ids.length) this.#ids = grown(this.#ids, series.length * 2);
    return this.#ids;
  }

  /** Only for a reference into the table that {@link of} was last called with. The first reference of a number stays. */
  note(ids: Int32Array, ref: number, id: number): void {
    if (ids === NONE) return;
    if (id >= this.#refs.length) this.#refs = grown(this.#refs, (id + 1) * 2);
    if (this.#refs[id] !== 0) return;
    this.#refs[id] = ref + 1;
    ids[ref] = id + 1;
  }

  /** What is known of the series changed: its keys are to be looked at again. */
  forget(id: number): void {
    const ref = (this.#refs[id] ?? 0) - 1;
    if (ref < 0) return;
    this.#refs[id] = 0;
    this.#ids[ref] = 0;
  }
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}

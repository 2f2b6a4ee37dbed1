import { compareLabels, type Labels } from "@sightline/model/labels.ts";
import { sortRows } from "./sort-rows.ts";
import type { TimeSlice } from "./time-slice.ts";

/**
 * Sorts series of a table by their labels. Comparing labels is slow and queries sort the same ones again and again, so
 * the order of all series is kept and brought up to date when it is asked for: 8 bytes a series.
 */
export class LabelOrder {
  /** Grows, and the order of what is there never changes. */
  readonly #labels: readonly Labels[];
  #ordered = new Uint32Array(0);
  /** The place of a series in `#ordered`. */
  #ranks = new Uint32Array(0);
  /** Series that were compared since the order was brought up to date. */
  #compared = 0;

  constructor(labels: readonly Labels[]) {
    this.#labels = labels;
  }

  /** Series given as ascending numbers, in the order of their labels. */
  async sort(ids: readonly number[], slice: TimeSlice): Promise<readonly number[]> {
    if ((ids[ids.length - 1] ?? -1) >= this.#ranks.length) {
      // A query for few of many series must not pay for all of them, but many such queries together do.
      this.#compared += ids.length;
      if (this.#labels.length > 2 * this.#compared) return this.#compareAll(ids, slice);
      this.#compared = 0;
      await this.#rankAll(slice);
    }
    return this.#ordered.length > 16 * ids.length ? this.#sortRanks(ids) : this.#markRanks(ids);
  }

  async #compareAll(ids: readonly number[], slice: TimeSlice): Promise<readonly number[]> {
    const labelsAt = (index: number) => this.#labels[ids[index] as number] as Labels;
    const indexes = await sortRows(ids.length, (a, b) => compareLabels(labelsAt(a), labelsAt(b)), slice);
    return indexes.map((index) => ids[index] as number);
  }

  #sortRanks(ids: readonly number[]): readonly number[] {
    const ranks = Uint32Array.from(ids, (id) => this.#ranks[id] as number).sort();
    return Array.from(ranks, (rank) => this.#ordered[rank] as number);
  }

  #markRanks(ids: readonly number[]): readonly number[] {
    const marks = new Uint8Array(this.#ordered.length);
    for (const id of ids) marks[this.#ranks[id] as number] = 1;
    const sorted: number[] = [];
    for (let rank = 0; rank < marks.length; rank++) if (marks[rank] === 1) sorted.push(this.#ordered[rank] as number);
    return sorted;
  }

  /** Sorts the series that are new and merges them with the others. Two queries may do so at a time. */
  async #rankAll(slice: TimeSlice): Promise<void> {
    const known = this.#ordered;
    const count = this.#labels.length;
    const added = await this.#compareAll(
      Array.from({ length: count - known.length }, (_, i) => known.length + i),
      slice,
    );
    const ordered = new Uint32Array(count);
    let from = 0;
    let at = 0;
    for (const id of added) {
      if ((at & 255) === 0 && slice.due) await slice.pause();
      const to = this.#firstAfter(known, id, from);
      ordered.set(known.subarray(from, to), at);
      at += to - from;
      ordered[at++] = id;
      from = to;
    }
    ordered.set(known.subarray(from), at);
    if (this.#ordered.length >= count) return;
    const ranks = new Uint32Array(count);
    for (let rank = 0; rank < count; rank++) ranks[ordered[rank] as number] = rank;
    this.#ordered = ordered;
    this.#ranks = ranks;
  }

  #firstAfter(known: Uint32Array, id: number, from: number): number {
    const labels = this.#labels[id] as Labels;
    let low = from;
    let high = known.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareLabels(this.#labels[known[middle] as number] as Labels, labels) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

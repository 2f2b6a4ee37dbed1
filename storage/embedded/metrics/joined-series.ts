import { compareLabels, type Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import { HashIndex } from "./hash-index.ts";
import type { SeriesSource } from "./series-source.ts";
import { sortRows } from "./sort-rows.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Series of one source that were selected, as ascending numbers. */
export type SelectedSeries = { readonly source: SeriesSource; readonly ids: readonly number[] };

const NONE = -1;

/**
 * The selected series of several sources, each label set once. Rows are in the order of the source with most of them,
 * which keeps a walk over the rows near one place of that source.
 */
export class JoinedSeries {
  readonly sources: readonly SeriesSource[];
  /** Row r has number `#ids[r * sources + s]` in source s. */
  readonly #ids: number[] = [];
  readonly #labels: Labels[] = [];
  /** So many rows from the first on are in the order of their labels. */
  #sortedRows = 0;

  private constructor(sources: readonly SeriesSource[]) {
    this.sources = sources;
  }

  /** `selections` are oldest write first. With `sorted`, {@link JoinedSeries.rowsInLabelOrder} costs next to nothing. */
  static async from(selections: readonly SelectedSeries[], slice: TimeSlice, sorted = false): Promise<JoinedSeries> {
    const used = selections.filter(({ ids }) => ids.length > 0);
    const joined = new JoinedSeries(used.map(({ source }) => source));
    const biggestFirst = used.map((_, s) => s).sort((a, b) => idsOf(used, b).length - idsOf(used, a).length);
    const index = new HashIndex(used.length > 1 ? idsOf(used, biggestFirst[0] as number).length : 0);
    for (const s of biggestFirst) {
      const { source, ids: unsorted } = used[s] as SelectedSeries;
      const ids = sorted && s === biggestFirst[0] ? await source.inLabelOrder(unsorted, slice) : unsorted;
      for (let i = 0; i < ids.length; i++) {
        if ((i & 255) === 0 && slice.due) await slice.pause();
        const id = ids[i] as number;
        joined.#add(s, source, id, used.length > 1 ? index : undefined);
      }
      if (sorted && s === biggestFirst[0]) joined.#sortedRows = ids.length;
    }
    return joined;
  }

  get length(): number {
    return this.#labels.length;
  }

  rows(): readonly number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.length; row++) rows.push(row);
    return rows;
  }

  async rowsInLabelOrder(slice: TimeSlice): Promise<readonly number[]> {
    if (this.length === this.#sortedRows) return this.rows();
    return sortRows(this.length, (a, b) => compareLabels(this.labelsOf(a), this.labelsOf(b)), slice);
  }

  labelsOf(row: number): Labels {
    return this.#labels[row] as Labels;
  }

  /** Of the newest source that has the series. */
  infoOf(row: number): SeriesInfo {
    for (let s = this.sources.length - 1; ; s--) {
      const id = this.idIn(s, row);
      if (id !== NONE) return (this.sources[s] as SeriesSource).infoOf(id);
    }
  }

  /** The series' number in a source, -1 when it is not there. */
  idIn(source: number, row: number): number {
    return this.#ids[row * this.sources.length + source] as number;
  }

  #add(s: number, source: SeriesSource, id: number, index: HashIndex | undefined): void {
    const hash = source.hashOf(id);
    let row = index ? index.find(hash, (candidate) => source.hasLabels(id, this.#labels[candidate] as Labels)) : -1;
    if (row < 0) {
      row = this.#labels.push(source.labelsOf(id)) - 1;
      for (let i = 0; i < this.sources.length; i++) this.#ids.push(NONE);
      index?.add(hash, row);
    }
    this.#ids[row * this.sources.length + s] = id;
  }
}

function idsOf(selections: readonly SelectedSeries[], s: number): readonly number[] {
  return (selections[s] as SelectedSeries).ids;
}

import { compareLabels, type Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { Awaitable } from "./awaitable.ts";
import { HashIndex } from "./hash-index.ts";
import { MISSING, SeriesLink, UNKNOWN } from "./series-link.ts";
import type { SeriesSource } from "./series-source.ts";
import { sortRows } from "./sort-rows.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Series of one source that were selected, as ascending numbers. All that are equal in others must be, too. */
export type SelectedSeries = { readonly source: SeriesSource; readonly ids: readonly number[] };

/** What is known of the series of one source in another. */
export type LinkOf = (from: SeriesSource, to: SeriesSource) => SeriesLink;

const NONE = -1;
/** From this many times as many series on as are looked for, clearing a place for each takes longer than hashing those. */
const SPARSE_FACTOR = 32;

/**
 * The selected series of several sources, each label set once. Rows are in the order of the source with most of them,
 * which keeps a walk over the rows near one place of that source.
 */
export class JoinedSeries {
  readonly sources: readonly SeriesSource[];
  /** By source: the number that each row has there. */
  readonly #ids: readonly Int32Array[];
  readonly #biggest: number;
  /** Rows of the biggest source, which come first. */
  readonly #biggestRows: number;
  /** Of the rows of the biggest source, made when it is needed. */
  #index: HashIndex | undefined;
  /** Of the rows after those, made when there is one. */
  #others: HashIndex | undefined;
  #length: number;
  /** So many rows from the first on are in the order of their labels. */
  readonly #sortedRows: number;

  private constructor(selections: readonly SelectedSeries[], biggest: number, ids: readonly number[], sorted: boolean) {
    const capacity = selections.reduce((sum, selection) => sum + selection.ids.length, 0);
    this.sources = selections.map(({ source }) => source);
    this.#ids = selections.map(() => new Int32Array(capacity).fill(NONE));
    this.#biggest = biggest;
    this.#biggestRows = ids.length;
    this.#length = ids.length;
    this.#sortedRows = sorted ? ids.length : 0;
    this.#ids[biggest]?.set(ids);
  }

  /**
   * `selections` are oldest write first. With `sorted`, {@link JoinedSeries.rowsInLabelOrder} costs next to nothing.
   * Links are used and made better.
   */
  static async from(
    selections: readonly SelectedSeries[],
    slice: TimeSlice,
    { sorted = false, linkOf }: { readonly sorted?: boolean; readonly linkOf?: LinkOf | undefined } = {},
  ): Promise<JoinedSeries> {
    const used = selections.filter(({ ids }) => ids.length > 0);
    let biggest = 0;
    used.forEach(({ ids }, s) => {
      if (ids.length > idsOf(used, biggest).length) biggest = s;
    });
    const { source, ids } = used[biggest] ?? { source: undefined, ids: [] };
    const ordered = sorted && source ? await source.inLabelOrder(ids, slice) : ids;
    const joined = new JoinedSeries(used, biggest, ordered, sorted);
    if (used.length > 1) await joined.#addOthers(used, slice, linkOf);
    return joined;
  }

  get length(): number {
    return this.#length;
  }

  rows(): readonly number[] {
    const rows: number[] = [];
    for (let row = 0; row < this.length; row++) rows.push(row);
    return rows;
  }

  rowsInLabelOrder(slice: TimeSlice): Awaitable<readonly number[]> {
    if (this.length === this.#sortedRows) return this.rows();
    return sortRows(this.length, (a, b) => compareLabels(this.labelsOf(a), this.labelsOf(b)), slice);
  }

  labelsOf(row: number): Labels {
    if (row < this.#biggestRows) {
      return (this.sources[this.#biggest] as SeriesSource).labelsOf(this.idIn(this.#biggest, row));
    }
    for (let s = 0; ; s++) {
      const id = this.idIn(s, row);
      if (id !== NONE) return (this.sources[s] as SeriesSource).labelsOf(id);
    }
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
    return (this.#ids[source] as Int32Array)[row] as number;
  }

  async #addOthers(used: readonly SelectedSeries[], slice: TimeSlice, linkOf: LinkOf | undefined): Promise<void> {
    const biggest = this.sources[this.#biggest] as SeriesSource;
    const rowOfId = this.#rowsOfBiggest(biggest);
    for (let s = 0; s < used.length; s++) {
      if (s === this.#biggest) continue;
      const { source, ids } = used[s] as SelectedSeries;
      const link = linkOf?.(source, biggest) ?? new SeriesLink(source.seriesCount);
      const rows = this.#ids[s] as Int32Array;
      for (let i = 0; i < ids.length; i++) {
        if ((i & 255) === 0 && slice.due) await slice.pause();
        const id = ids[i] as number;
        const known = link.get(id);
        // Another query may have linked it to a series that came after this one's were selected.
        let row = known >= 0 ? rowOfId(known) : NONE;
        if (known === UNKNOWN) row = this.#link(link, source, id);
        if (row < 0) row = this.#rowAmongOthers(source, id);
        rows[row] = id;
      }
    }
  }

  /** Finds the row of a series that the biggest source may have. */
  #link(link: SeriesLink, source: SeriesSource, id: number): number {
    const biggest = this.sources[this.#biggest] as SeriesSource;
    this.#index ??= this.#indexBiggest(biggest);
    const row = this.#find(this.#index, source, id);
    if (row >= 0) link.set(id, this.idIn(this.#biggest, row));
    else if (biggest.isFixed) link.set(id, MISSING);
    return row;
  }

  /** Of the number of a series in the biggest source, its row. */
  #rowsOfBiggest({ seriesCount }: SeriesSource): (id: number) => number {
    const ids = this.#ids[this.#biggest] as Int32Array;
    if (this.#biggestRows * SPARSE_FACTOR < seriesCount) {
      const rows = new Map<number, number>();
      for (let row = 0; row < this.#biggestRows; row++) rows.set(ids[row] as number, row);
      return (id) => rows.get(id) ?? NONE;
    }
    const rows = new Int32Array(seriesCount).fill(NONE);
    for (let row = 0; row < this.#biggestRows; row++) rows[ids[row] as number] = row;
    return (id) => rows[id] ?? NONE;
  }

  #indexBiggest(biggest: SeriesSource): HashIndex {
    const index = new HashIndex(this.#biggestRows);
    for (let row = 0; row < this.#biggestRows; row++) index.add(biggest.hashOf(this.idIn(this.#biggest, row)), row);
    return index;
  }

  /** The row of a series that the biggest source does not have. */
  #rowAmongOthers(source: SeriesSource, id: number): number {
    this.#others ??= new HashIndex();
    const known = this.#find(this.#others, source, id);
    if (known >= 0) return known;
    const row = this.#length++;
    this.#others.add(source.hashOf(id), row);
    return row;
  }

  #find(index: HashIndex, source: SeriesSource, id: number): number {
    return index.find(source.hashOf(id), (row) => source.hasLabels(id, this.labelsOf(row)));
  }
}

function idsOf(selections: readonly SelectedSeries[], s: number): readonly number[] {
  return (selections[s] as SelectedSeries).ids;
}

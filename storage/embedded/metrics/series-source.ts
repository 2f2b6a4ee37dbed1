import type { Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Awaitable } from "./awaitable.ts";
import type { SeriesAssembler } from "./series-assembler.ts";
import type { TimeSlice } from "./time-slice.ts";

/** An inverted index over series, which are numbered from 0. */
export interface LabelIndex {
  readonly seriesCount: number;
  names(): Iterable<string>;
  /** Values of a label, in no order; nothing for a name that no series has. */
  valuesOf(name: string): Iterable<string>;
  /** Numbers of the series with this label, ascending. Read only. */
  postings(name: string, value: string): ArrayLike<number>;
}

/** Something that holds series with samples: the head, or a block. It must not change the number of a series. */
export interface SeriesSource extends LabelIndex {
  /** Tells the source from all others of this process. */
  readonly key: string;
  /** It has all series it will ever have. */
  readonly isFixed: boolean;
  hashOf(id: number): number;
  hasLabels(id: number, labels: Labels): boolean;
  labelsOf(id: number): Labels;
  infoOf(id: number): SeriesInfo;
  /** Adds the names of the labels of some series, or with `name` the values of that label. */
  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void;
  /** Some of its series, given as ascending numbers, in the order of their labels. */
  inLabelOrder(ids: readonly number[], slice: TimeSlice): Awaitable<readonly number[]>;
  /** Gets ready to read some series, given as ascending numbers. `hints` may be ignored. */
  open(ids: readonly number[], range: TimeRange, hints?: Pick<SelectHints, "newestOnly">): Awaitable<SeriesReader>;
}

export interface SeriesReader {
  /** Hands what the series has in the range to the assembler, oldest write first. Synchronous: a series is small. */
  read(id: number, range: TimeRange, into: SeriesAssembler): void;
}

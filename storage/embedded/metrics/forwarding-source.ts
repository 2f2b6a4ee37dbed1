import type { Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import type { Awaitable } from "./awaitable.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** A source that has the series of another one, in whatever way it differs. */
export class ForwardingSource implements SeriesSource {
  protected readonly source: SeriesSource;

  constructor(source: SeriesSource) {
    this.source = source;
  }

  get key(): string {
    return this.source.key;
  }

  get isFixed(): boolean {
    return this.source.isFixed;
  }

  get seriesCount(): number {
    return this.source.seriesCount;
  }

  names(): Iterable<string> {
    return this.source.names();
  }

  valuesOf(name: string): Iterable<string> {
    return this.source.valuesOf(name);
  }

  postings(name: string, value: string): ArrayLike<number> {
    return this.source.postings(name, value);
  }

  hashOf(id: number): number {
    return this.source.hashOf(id);
  }

  hasLabels(id: number, labels: Labels): boolean {
    return this.source.hasLabels(id, labels);
  }

  labelsOf(id: number): Labels {
    return this.source.labelsOf(id);
  }

  infoOf(id: number): SeriesInfo {
    return this.source.infoOf(id);
  }

  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void {
    this.source.collectLabels(ids, name, into);
  }

  inLabelOrder(ids: readonly number[], slice: TimeSlice): Awaitable<readonly number[]> {
    return this.source.inLabelOrder(ids, slice);
  }

  open(ids: readonly number[], range: TimeRange, hints?: Pick<SelectHints, "newestOnly">): Awaitable<SeriesReader> {
    return this.source.open(ids, range, hints);
  }
}

import type { Labels } from "@sightline/model/labels.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { TimeRange } from "@sightline/model/ports.ts";
import { SeriesAssembler } from "./series-assembler.ts";
import type { SeriesReader, SeriesSource } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Says what of a source's series must not be seen any more. */
export interface SeriesMask {
  /** A series without a visible sample must not be listed, even if that has to be found out by reading it. */
  readonly isExact: boolean;
  /** Whether something of the series is hidden. */
  hides(id: number): boolean;
  /** The parts of the range that are to be seen, ascending and apart from each other. */
  visible(id: number, range: TimeRange): readonly TimeRange[];
}

/** A source of which a part is hidden. All its series are still numbered; some may have no sample. */
export class MaskedSource implements SeriesSource {
  readonly #source: SeriesSource;
  readonly #mask: SeriesMask;

  constructor(source: SeriesSource, mask: SeriesMask) {
    this.#source = source;
    this.#mask = mask;
  }

  get key(): string {
    return this.#source.key;
  }

  get isFixed(): boolean {
    return this.#source.isFixed;
  }

  get seriesCount(): number {
    return this.#source.seriesCount;
  }

  names(): Iterable<string> {
    return this.#source.names();
  }

  valuesOf(name: string): Iterable<string> {
    return this.#source.valuesOf(name);
  }

  postings(name: string, value: string): ArrayLike<number> {
    return this.#source.postings(name, value);
  }

  hashOf(id: number): number {
    return this.#source.hashOf(id);
  }

  hasLabels(id: number, labels: Labels): boolean {
    return this.#source.hasLabels(id, labels);
  }

  labelsOf(id: number): Labels {
    return this.#source.labelsOf(id);
  }

  infoOf(id: number): SeriesInfo {
    return this.#source.infoOf(id);
  }

  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void {
    this.#source.collectLabels(ids, name, into);
  }

  inLabelOrder(ids: readonly number[], slice: TimeSlice): Promise<readonly number[]> {
    return this.#source.inLabelOrder(ids, slice);
  }

  async open(ids: readonly number[], range: TimeRange): Promise<SeriesReader> {
    const mask = this.#mask;
    const wanted = ids.filter((id) => !mask.hides(id) || mask.visible(id, range).length > 0);
    if (wanted.length === 0) return { read: () => {} };
    const reader = await this.#source.open(wanted, range);
    return {
      read: (id, range, into) => {
        if (!mask.hides(id)) reader.read(id, range, into);
        else for (const part of mask.visible(id, range)) reader.read(id, part, into);
      },
    };
  }

  /** Those of `ids` that may have a sample in the range. */
  async listed(ids: readonly number[], range: TimeRange, slice: TimeSlice): Promise<readonly number[]> {
    const mask = this.#mask;
    const inner = this.#source;
    const known = inner instanceof MaskedSource ? await inner.listed(ids, range, slice) : ids;
    const listed = known.filter((id) => !mask.hides(id) || mask.visible(id, range).length > 0);
    if (!mask.isExact) return listed;
    const doubtful = listed.filter((id) => mask.hides(id));
    if (doubtful.length === 0) return listed;
    const gone = new Set<number>();
    for (let from = 0; from < doubtful.length; from += GROUP_SERIES) {
      const group = doubtful.slice(from, from + GROUP_SERIES);
      const reader = await this.open(group, range);
      const assembler = new SeriesAssembler(true);
      for (const id of group) {
        assembler.begin();
        reader.read(id, range, assembler);
        if (!assembler.finish()) gone.add(id);
        assembler.beginGroup();
        if (slice.due) await slice.pause();
      }
    }
    return listed.filter((id) => !gone.has(id));
  }
}

/** Series whose pages are held at a time. */
const GROUP_SERIES = 256;

import type { TimeRange } from "@sightline/model/time-range.ts";
import { addParts } from "./add-parts.ts";
import { ForwardingSource } from "./forwarding-source.ts";
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
export class MaskedSource extends ForwardingSource {
  readonly #mask: SeriesMask;

  constructor(source: SeriesSource, mask: SeriesMask) {
    super(source);
    this.#mask = mask;
  }

  /** The parts of a range in which samples of the series are to be seen, ascending and apart from each other. */
  visible(id: number, range: TimeRange): readonly TimeRange[] {
    const parts = visibleOf(this.source, id, range);
    return this.#mask.hides(id) ? parts.flatMap((part) => this.#mask.visible(id, part)) : parts;
  }

  override async open(ids: readonly number[], range: TimeRange): Promise<SeriesReader> {
    const mask = this.#mask;
    const wanted = ids.filter((id) => !mask.hides(id) || mask.visible(id, range).length > 0);
    if (wanted.length === 0) return { read: () => {} };
    const reader = await this.source.open(wanted, range);
    const assembler = new SeriesAssembler(true);
    return {
      read: (id, range, into) => {
        if (!mask.hides(id)) return reader.read(id, range, into);
        const parts = mask.visible(id, range);
        if (parts.length <= MAX_READS) {
          for (const part of parts) reader.read(id, part, into);
          return;
        }
        assembler.beginGroup();
        assembler.begin();
        reader.read(id, range, assembler);
        const series = assembler.finish();
        if (series) addParts(series, parts, into);
      },
    };
  }

  /** Those of `ids` that may have a sample in the range. */
  async listed(ids: readonly number[], range: TimeRange, slice: TimeSlice): Promise<readonly number[]> {
    const mask = this.#mask;
    const inner = this.source;
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

/** Each decodes chunks anew; for more parts it is cheaper to decode all and copy. */
const MAX_READS = 2;
/** Series whose pages are held at a time. */
const GROUP_SERIES = 256;

/** Of any source, masked or not. */
export function visibleOf(source: SeriesSource, id: number, range: TimeRange): readonly TimeRange[] {
  return source instanceof MaskedSource ? source.visible(id, range) : [range];
}

import type { TimeRange } from "@sightline/model/time-range.ts";
import { addRange, type Deletion, rangeWithout } from "./deletion.ts";
import { selectSeries } from "./select-series.ts";
import type { SeriesMask } from "./series-mask.ts";
import type { LabelIndex } from "./series-source.ts";
import type { TimeSlice } from "./time-slice.ts";

/** Which times of which series of one block are deleted though its file still has them. 4 bytes a series. */
export class DeletionMask implements SeriesMask {
  readonly isExact = true;
  /** How many deletions it is made of. */
  readonly deletions: number;
  /** By series: the number of its ranges; 0 when nothing of it is deleted. */
  readonly #numbers: Uint32Array;
  /** Many series have the same ranges. */
  readonly #ranges: readonly (readonly TimeRange[])[];

  #last: (TimeRange & { readonly number: number; readonly parts: readonly TimeRange[] }) | undefined;

  private constructor(deletions: number, numbers: Uint32Array, ranges: readonly (readonly TimeRange[])[]) {
    this.deletions = deletions;
    this.#numbers = numbers;
    this.#ranges = ranges;
  }

  get bytes(): number {
    return 200 + this.#numbers.byteLength + this.#ranges.length * 64;
  }

  /** `before` is the mask of the first of these deletions, to begin with. */
  static async of(
    index: LabelIndex,
    deletions: readonly Deletion[],
    slice: TimeSlice,
    before?: DeletionMask,
  ): Promise<DeletionMask> {
    const numbers = before ? before.#numbers.slice() : new Uint32Array(index.seriesCount);
    const ranges = before ? [...before.#ranges] : [[]];
    for (const deletion of deletions.slice(before?.deletions ?? 0)) {
      const next = new Map<number, number>();
      for (const id of await selectSeries(index, deletion.matchers, slice)) {
        const known = numbers[id] as number;
        let number = next.get(known);
        if (number === undefined) {
          number = ranges.push(addRange(ranges[known] as readonly TimeRange[], deletion)) - 1;
          next.set(known, number);
        }
        numbers[id] = number;
      }
      if (slice.due) await slice.pause();
    }
    return new DeletionMask(deletions.length, numbers, ranges);
  }

  hides(id: number): boolean {
    return this.#numbers[id] !== 0;
  }

  /** The same array for series after series of one range, as most have the same ranges. */
  visible(id: number, range: TimeRange): readonly TimeRange[] {
    const number = this.#numbers[id] as number;
    const last = this.#last;
    if (last?.number === number && last.startMs === range.startMs && last.endMs === range.endMs) return last.parts;
    const parts = rangeWithout(range, this.#ranges[number] as readonly TimeRange[]);
    this.#last = { number, startMs: range.startMs, endMs: range.endMs, parts };
    return parts;
  }
}

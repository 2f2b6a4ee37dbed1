import { SlotSlabs } from "./slot-slabs.ts";
import { TimeSlots } from "./time-slots.ts";

/** 32 samples: with 16, reading a series takes 60 % longer, because every slot is a miss of the processor's cache. */
const USUAL_SHIFT = 5;
/** 8 samples, where most series have no more: then they would leave most of a larger one empty. */
const SPARSE_SHIFT = 3;
/** Half a megabyte. */
const SLAB_SAMPLES_SHIFT = 16;

/** In words of four bytes from the beginning of a slot. Its values follow. */
const BEFORE = 0;
const TIMES = 1;
/** In doubles. */
const VALUES = 1;

/**
 * Ascending samples of many series in slots of 32 (8 in sparse ones), each linked to the one before: its values are one piece
 * of memory, its times are {@link TimeSlots} that other series may share. A sample takes 8 bytes and up to 4 for its time, a
 * slot 8 and up to 16, so a series that has just begun takes about 264 bytes here, or 72, and as much as 144 or 48 for times
 * of its own. Samples are numbered; number 0 is never used.
 */
export class SampleSlots {
  readonly #slabs: SlotSlabs;
  readonly #times: TimeSlots;
  readonly #shift: number;
  readonly #slotSamples: number;

  /** Per series: the number after its newest sample, 0 when it has none. */
  #ends = new Uint32Array(1024);
  #counts = new Uint32Array(1024);
  /** Per series: where the times of its newest slot are. */
  #tailTimes = new Uint32Array(1024);

  constructor(density: "usual" | "sparse" = "usual") {
    this.#shift = density === "sparse" ? SPARSE_SHIFT : USUAL_SHIFT;
    this.#slotSamples = 1 << this.#shift;
    this.#slabs = new SlotSlabs(VALUES + this.#slotSamples, SLAB_SAMPLES_SHIFT - this.#shift);
    this.#times = new TimeSlots(this.#slotSamples);
  }

  get bytes(): number {
    return this.#slabs.bytes + this.#times.bytes + this.#ends.length * 12;
  }

  ensureSeries(count: number): void {
    if (count <= this.#ends.length) return;
    this.#ends = grown(this.#ends, count * 2);
    this.#counts = grown(this.#counts, count * 2);
    this.#tailTimes = grown(this.#tailTimes, count * 2);
  }

  countOf(series: number): number {
    return this.#counts[series] as number;
  }

  /**
   * Appends values[index]. The time must be after the series' newest. Returns false, doing nothing, when it is too far
   * after the first of its slot to be held here (49 days).
   */
  append(series: number, timeMs: number, values: Float64Array, index: number): boolean {
    const end = this.#ends[series] as number;
    const place = end & (this.#slotSamples - 1);
    if (place === 0) {
      this.#begin(series, timeMs, values, index);
      return true;
    }
    const known = this.#tailTimes[series] as number;
    const times = this.#times.append(known, place, timeMs);
    if (times < 0) return false;
    const slot = end >>> this.#shift;
    const from = this.#slabs.placeOf(slot);
    if (times !== known) {
      this.#slabs.wordsOf(slot)[2 * from + TIMES] = times;
      this.#tailTimes[series] = times;
    }
    this.#slabs.doublesOf(slot)[from + VALUES + place] = values[index] as number;
    this.#ends[series] = end + 1;
    (this.#counts[series] as number)++;
    return true;
  }

  #begin(series: number, timeMs: number, values: Float64Array, index: number): void {
    const end = this.#ends[series] as number;
    const times = this.#times.begin(timeMs);
    const slot = this.#slabs.add();
    const from = this.#slabs.placeOf(slot);
    const words = this.#slabs.wordsOf(slot);
    words[2 * from + BEFORE] = end === 0 ? 0 : (end >>> this.#shift) - 1;
    words[2 * from + TIMES] = times;
    this.#slabs.doublesOf(slot)[from + VALUES] = values[index] as number;
    this.#tailTimes[series] = times;
    this.#ends[series] = (slot << this.#shift) + 1;
    (this.#counts[series] as number)++;
  }

  /**
   * Samples of the series from `startMs` on, at most: whole slots are counted. Fills `slots` with them and `times` with those
   * of their times, newest first.
   */
  slotsFrom(series: number, startMs: number, slots: number[], times: number[]): number {
    slots.length = 0;
    times.length = 0;
    const end = this.#ends[series] as number;
    if (end === 0) return 0;
    let slot = (end - 1) >>> this.#shift;
    let count = end - (slot << this.#shift);
    for (;;) {
      const words = this.#slabs.wordsOf(slot);
      const from = 2 * this.#slabs.placeOf(slot);
      const slotTimes = words[from + TIMES] as number;
      slots.push(slot);
      times.push(slotTimes);
      const before = words[from + BEFORE] as number;
      if (before === 0 || this.#times.firstMs(slotTimes) <= startMs) return count;
      slot = before;
      count += this.#slotSamples;
    }
  }

  /** Copies the `count` times of slots (as `slotsFrom` gave them) in ascending order. */
  copyTimes(times: readonly number[], count: number, timesMs: Float64Array, at: number): void {
    let left = count;
    for (let i = times.length - 1; i >= 0; i--) {
      const length = Math.min(left, this.#slotSamples);
      this.#times.copy(times[i] as number, length, timesMs, at + count - left);
      left -= length;
    }
  }

  /** Copies the `count` values of slots (as `slotsFrom` gave them) in ascending order. */
  copyValues(slots: readonly number[], count: number, values: Float64Array, at: number): void {
    let to = at;
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i] as number;
      const doubles = this.#slabs.doublesOf(slot);
      const from = this.#slabs.placeOf(slot) + VALUES;
      const length = Math.min(at + count - to, this.#slotSamples);
      for (let k = 0; k < length; k++) values[to + k] = doubles[from + k] as number;
      to += length;
    }
  }
}

function grown(old: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(old);
  return larger;
}

import { SlotSlabs } from "./slot-slabs.ts";

const SLAB_SHIFT = 10;
const MAX_DELTA_MS = 0xffffffff;
/** In words of four bytes from the beginning of a slot, whose first eight bytes are its first time. */
const LENGTH = 2;
const FORK = 3;
const DELTAS = 4;
/** Targets that are scraped in turn, each at times of its own. */
const BEGUN_BITS = 8;
/** As many other ways to go on are looked at before another one is begun. */
const MAX_FORKS = 4;

/**
 * Ascending times in slots of so many. The series of one scrape have the same times, so they share slots: whoever comes first
 * writes a time, the others find it there. One that goes on differently goes to a copy. Slots are numbered from 1. A slot
 * takes 4 bytes a time (its distance to the first) and 16 more.
 */
export class TimeSlots {
  readonly #slabs: SlotSlabs;
  /** Slots that were begun last, by a hash of their first time. */
  readonly #begun = new Int32Array(1 << BEGUN_BITS);
  /** What was appended last. */
  #lastSlot = 0;
  #lastCount = 0;
  #lastMs = 0;

  constructor(slotTimes: number) {
    this.#slabs = new SlotSlabs((DELTAS + slotTimes) / 2, SLAB_SHIFT);
  }

  get bytes(): number {
    return this.#slabs.bytes;
  }

  /** A slot whose first time this is. */
  begin(timeMs: number): number {
    const place = Math.imul(timeMs | 0, 0x9e3779b1) >>> (32 - BEGUN_BITS);
    const known = this.#begun[place] as number;
    if (known !== 0 && this.firstMs(known) === timeMs) return known;
    const slot = this.#add(timeMs);
    this.#begun[place] = slot;
    return slot;
  }

  /**
   * Puts a time after the first `count` of a slot. Returns the slot that now has all of them, -1 when the time is too far
   * after the first to be held (49 days).
   */
  append(slot: number, count: number, timeMs: number): number {
    // As for the series before, which was scraped with this one.
    if (slot === this.#lastSlot && count === this.#lastCount && timeMs === this.#lastMs) return slot;
    const kept = this.#append(slot, count, timeMs);
    this.#lastSlot = kept;
    this.#lastCount = count;
    this.#lastMs = timeMs;
    return kept;
  }

  #append(slot: number, count: number, timeMs: number): number {
    const words = this.#slabs.wordsOf(slot);
    const at = this.#slabs.placeOf(slot);
    const delta = timeMs - this.firstMs(slot);
    if (delta > MAX_DELTA_MS) return -1;
    const word = 2 * at;
    const length = words[word + LENGTH] as number;
    if (count === length) {
      words[word + DELTAS + count] = delta;
      words[word + LENGTH] = length + 1;
      return slot;
    }
    return words[word + DELTAS + count] === delta ? slot : this.#fork(slot, count, timeMs);
  }

  firstMs(slot: number): number {
    return this.#slabs.doublesOf(slot)[this.#slabs.placeOf(slot)] as number;
  }

  /** Copies the first `count` times of a slot. */
  copy(slot: number, count: number, timesMs: Float64Array, at: number): void {
    const words = this.#slabs.wordsOf(slot);
    const firstMs = this.firstMs(slot);
    const from = 2 * this.#slabs.placeOf(slot) + DELTAS;
    for (let i = 0; i < count; i++) timesMs[at + i] = firstMs + (words[from + i] as number);
  }

  /** Others that went on differently are tried first: the series of a target go on together. */
  #fork(slot: number, count: number, timeMs: number): number {
    const slabs = this.#slabs;
    let last = slot;
    for (let forks = 0; forks < MAX_FORKS; forks++) {
      const fork = slabs.wordsOf(last)[2 * slabs.placeOf(last) + FORK] as number;
      if (fork === 0) break;
      if (this.#goesOnAs(fork, slot, count, timeMs)) return this.#append(fork, count, timeMs);
      last = fork;
    }
    const fork = this.#add(this.firstMs(slot));
    const words = slabs.wordsOf(fork);
    const from = 2 * slabs.placeOf(slot) + DELTAS;
    const to = 2 * slabs.placeOf(fork);
    words.set(slabs.wordsOf(slot).subarray(from, from + count), to + DELTAS);
    words[to + LENGTH] = count;
    slabs.wordsOf(last)[2 * slabs.placeOf(last) + FORK] = fork;
    return this.#append(fork, count, timeMs);
  }

  /** Whether a fork has the first `count` times of the slot, and then this one or none yet. */
  #goesOnAs(fork: number, slot: number, count: number, timeMs: number): boolean {
    const [own, words] = [this.#slabs.wordsOf(slot), this.#slabs.wordsOf(fork)];
    const ownFrom = 2 * this.#slabs.placeOf(slot) + DELTAS;
    const at = 2 * this.#slabs.placeOf(fork);
    const from = at + DELTAS;
    const length = words[at + LENGTH] as number;
    if (length < count || (length > count && words[from + count] !== timeMs - this.firstMs(slot))) return false;
    for (let i = 0; i < count; i++) if (words[from + i] !== own[ownFrom + i]) return false;
    return true;
  }

  #add(firstMs: number): number {
    const slot = this.#slabs.add();
    const at = this.#slabs.placeOf(slot);
    this.#slabs.doublesOf(slot)[at] = firstMs;
    this.#slabs.wordsOf(slot)[2 * at + LENGTH] = 1;
    return slot;
  }
}

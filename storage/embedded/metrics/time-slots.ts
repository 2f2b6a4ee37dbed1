const SLAB_SHIFT = 10;
const SLAB_SLOTS = 1 << SLAB_SHIFT;
const MAX_DELTA_MS = 0xffffffff;
/** In words of four bytes from the beginning of a slot, whose first eight bytes are its first time. */
const LENGTH = 2;
const FORK = 3;
const DELTAS = 4;
/** Targets that are scraped in turn, each at times of its own. */
const BEGUN_BITS = 8;
/** As many other ways to go on are looked at before another one is begun. */
const MAX_FORKS = 4;

type Slab = { readonly words: Uint32Array; readonly doubles: Float64Array };

/**
 * Ascending times in slots of so many. The series of one scrape have the same times, so they share slots: whoever comes first
 * writes a time, the others find it there. One that goes on differently goes to a copy. Slots are numbered from 1. A slot
 * takes 4 bytes a time (its distance to the first) and 16 more.
 */
export class TimeSlots {
  readonly #slabs: Slab[] = [];
  /** Of a slot, in doubles. */
  readonly #stride: number;
  #nextSlot = 1;
  /** Slots that were begun last, by a hash of their first time. */
  readonly #begun = new Int32Array(1 << BEGUN_BITS);

  constructor(slotTimes: number) {
    this.#stride = (DELTAS + slotTimes) / 2;
  }

  get bytes(): number {
    return this.#slabs.length * SLAB_SLOTS * this.#stride * 8;
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
    const { words, doubles } = this.#slabOf(slot);
    const at = this.#placeOf(slot);
    const delta = timeMs - (doubles[at] as number);
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
    return this.#slabOf(slot).doubles[this.#placeOf(slot)] as number;
  }

  /** Copies the first `count` times of a slot. */
  copy(slot: number, count: number, timesMs: Float64Array, at: number): void {
    const { words, doubles } = this.#slabOf(slot);
    const place = this.#placeOf(slot);
    const firstMs = doubles[place] as number;
    const from = 2 * place + DELTAS;
    for (let i = 0; i < count; i++) timesMs[at + i] = firstMs + (words[from + i] as number);
  }

  /** Others that went on differently are tried first: the series of a target go on together. */
  #fork(slot: number, count: number, timeMs: number): number {
    const own = this.#slabOf(slot).words;
    const from = 2 * this.#placeOf(slot);
    const delta = timeMs - this.firstMs(slot);
    let last = slot;
    for (let forks = 0; forks < MAX_FORKS; forks++) {
      const { words } = this.#slabOf(last);
      const fork = words[2 * this.#placeOf(last) + FORK] as number;
      if (fork === 0) break;
      last = fork;
      const other = this.#slabOf(fork).words;
      const otherFrom = 2 * this.#placeOf(fork);
      const length = other[otherFrom + LENGTH] as number;
      if (length < count || (length > count && other[otherFrom + DELTAS + count] !== delta)) continue;
      let i = 0;
      while (i < count && own[from + DELTAS + i] === other[otherFrom + DELTAS + i]) i++;
      if (i === count) return this.append(fork, count, timeMs);
    }
    const fork = this.#add(this.firstMs(slot));
    const { words } = this.#slabOf(fork);
    const to = 2 * this.#placeOf(fork);
    for (let i = 0; i < count; i++) words[to + DELTAS + i] = own[from + DELTAS + i] as number;
    words[to + LENGTH] = count;
    this.#slabOf(last).words[2 * this.#placeOf(last) + FORK] = fork;
    return this.append(fork, count, timeMs);
  }

  #add(firstMs: number): number {
    const slot = this.#nextSlot++;
    if (slot >>> SLAB_SHIFT === this.#slabs.length) {
      const memory = new ArrayBuffer(SLAB_SLOTS * this.#stride * 8);
      this.#slabs.push({ words: new Uint32Array(memory), doubles: new Float64Array(memory) });
    }
    const { words, doubles } = this.#slabOf(slot);
    const at = this.#placeOf(slot);
    doubles[at] = firstMs;
    words[2 * at + LENGTH] = 1;
    return slot;
  }

  #slabOf(slot: number): Slab {
    return this.#slabs[slot >>> SLAB_SHIFT] as Slab;
  }

  #placeOf(slot: number): number {
    return (slot & (SLAB_SLOTS - 1)) * this.#stride;
  }
}

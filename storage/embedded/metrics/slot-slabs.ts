/**
 * Slots of some doubles each, numbered from 1, that never move, in slabs of many: for there may be millions. The memory of a
 * slot is all zero at first, and can be read as doubles and as words of four bytes.
 */
export class SlotSlabs {
  readonly #words: Uint32Array[] = [];
  readonly #doubles: Float64Array[] = [];
  /** Of a slot, in doubles. */
  readonly #stride: number;
  readonly #shift: number;
  #next = 1;

  /** `shift`: a slab has two to the power of it. */
  constructor(stride: number, shift: number) {
    this.#stride = stride;
    this.#shift = shift;
  }

  get bytes(): number {
    return this.#doubles.length * this.#slabBytes;
  }

  /** Returns the number of a new slot. */
  add(): number {
    const slot = this.#next++;
    if (slot >>> this.#shift === this.#doubles.length) {
      const memory = new ArrayBuffer(this.#slabBytes);
      this.#words.push(new Uint32Array(memory));
      this.#doubles.push(new Float64Array(memory));
    }
    return slot;
  }

  /** The slab of a slot; its words begin at twice {@link SlotSlabs.placeOf}. */
  wordsOf(slot: number): Uint32Array {
    return this.#words[slot >>> this.#shift] as Uint32Array;
  }

  /** The slab of a slot; its doubles begin at {@link SlotSlabs.placeOf}. */
  doublesOf(slot: number): Float64Array {
    return this.#doubles[slot >>> this.#shift] as Float64Array;
  }

  /** Where a slot begins in its slab, in doubles. */
  placeOf(slot: number): number {
    return (slot & ((1 << this.#shift) - 1)) * this.#stride;
  }

  get #slabBytes(): number {
    return (this.#stride << this.#shift) * 8;
  }
}

const EMPTY = 0;
const FIRST_SLOTS = 16;

/** From the two hashes of a line's shape to a number: open addressing in typed arrays, so that looking up allocates nothing. */
export class ShapeIndex {
  readonly #maxEntries: number;
  #mask = FIRST_SLOTS - 1;
  /** Per slot: both hashes, and the number + 1. */
  #slots = new Int32Array(FIRST_SLOTS * 3);
  #size = 0;

  /** With more entries all are forgotten: they are found again by looking closer. */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    return this.#slots.byteLength;
  }

  /** -1 when it is not there. */
  get(a: number, b: number): number {
    const slots = this.#slots;
    for (let slot = a & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const value = slots[slot * 3 + 2] as number;
      if (value === EMPTY) return -1;
      if (slots[slot * 3] === a && slots[slot * 3 + 1] === b) return value - 1;
    }
  }

  set(a: number, b: number, value: number): void {
    if (this.#size >= this.#maxEntries) this.clear();
    if ((this.#size + 1) * 2 > this.#mask + 1) this.#grow();
    if (this.#put(a, b, value)) this.#size++;
  }

  clear(): void {
    this.#mask = FIRST_SLOTS - 1;
    this.#slots = new Int32Array(FIRST_SLOTS * 3);
    this.#size = 0;
  }

  /** False when it was there and is overwritten. */
  #put(a: number, b: number, value: number): boolean {
    const slots = this.#slots;
    let slot = a & this.#mask;
    while (slots[slot * 3 + 2] !== EMPTY && (slots[slot * 3] !== a || slots[slot * 3 + 1] !== b)) {
      slot = (slot + 1) & this.#mask;
    }
    const isNew = slots[slot * 3 + 2] === EMPTY;
    slots[slot * 3] = a;
    slots[slot * 3 + 1] = b;
    slots[slot * 3 + 2] = value + 1;
    return isNew;
  }

  #grow(): void {
    const old = this.#slots;
    this.#mask = this.#mask * 2 + 1;
    this.#slots = new Int32Array((this.#mask + 1) * 3);
    for (let i = 0; i < old.length; i += 3) {
      if (old[i + 2] !== EMPTY) this.#put(old[i] as number, old[i + 1] as number, (old[i + 2] as number) - 1);
    }
  }
}

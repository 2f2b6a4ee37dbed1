/**
 * Maps 32-bit hashes to small integers (numbers of things kept elsewhere), several per hash: open addressing with
 * linear probing, at most half full. The caller says which of the candidates is the right one.
 */
export class HashIndex {
  #hashes: Int32Array;
  /** Number + 1; 0 is a free place. */
  #numbers: Int32Array;
  #size = 0;

  constructor(capacity = 16) {
    let places = 32;
    while (places < capacity * 2) places *= 2;
    this.#hashes = new Int32Array(places);
    this.#numbers = new Int32Array(places);
  }

  /** The first number added under `hash` that `isIt` accepts, or -1. */
  find(hash: number, isIt: (number: number) => boolean): number {
    const mask = this.#numbers.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const number = (this.#numbers[place] as number) - 1;
      if (number < 0) return -1;
      if (this.#hashes[place] === hash && isIt(number)) return number;
    }
  }

  add(hash: number, number: number): void {
    if (++this.#size * 2 > this.#numbers.length) this.#grow();
    this.#put(hash, number + 1);
  }

  #put(hash: number, entry: number): void {
    const mask = this.#numbers.length - 1;
    let place = hash & mask;
    while (this.#numbers[place] !== 0) place = (place + 1) & mask;
    this.#hashes[place] = hash;
    this.#numbers[place] = entry;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const numbers = this.#numbers;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#numbers = new Int32Array(numbers.length * 2);
    for (let i = 0; i < numbers.length; i++) {
      if (numbers[i] !== 0) this.#put(hashes[i] as number, numbers[i] as number);
    }
  }
}

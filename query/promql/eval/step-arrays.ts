const NO_VALUES = new Float64Array(0);
const NO_KINDS = new Uint8Array(0);
/** Together half a megabyte. */
const MAX_SLAB_VALUES = 64 * 1024;

/**
 * Makes the arrays of many series of the same steps, several of them from one piece of memory: pieces of their own, of
 * some kilobytes, would keep the garbage collector busy. What is made together is kept together.
 */
export class StepArrays {
  readonly #steps: number;
  #values = NO_VALUES;
  #kinds = NO_KINDS;
  #used = 0;

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** All zero, and the caller's. */
  next(): { readonly values: Float64Array; readonly kinds: Uint8Array } {
    const steps = this.#steps;
    if (this.#used + steps > this.#values.length) {
      // The first is as long as one series, so that a query for one takes no more than it needs.
      const length = Math.max(steps, Math.min(MAX_SLAB_VALUES, this.#values.length * 4));
      this.#values = new Float64Array(length);
      this.#kinds = new Uint8Array(length);
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += steps;
    // Making a view takes longer than making a short array.
    if (steps === this.#values.length) return { values: this.#values, kinds: this.#kinds };
    return { values: this.#values.subarray(from, this.#used), kinds: this.#kinds.subarray(from, this.#used) };
  }
}

/** Of a series: not looked for yet, or known not to be there. */
export const UNKNOWN = -2;
export const MISSING = -1;

/**
 * Which series of one source are which of another, as far as it was found out: comparing labels is slow, and queries
 * join the same series again and again. 4 bytes a series.
 */
export class SeriesLink {
  #numbers: Int32Array;

  constructor(seriesCount: number) {
    this.#numbers = new Int32Array(seriesCount).fill(UNKNOWN);
  }

  get bytes(): number {
    return 100 + this.#numbers.byteLength;
  }

  /** Makes room for the series of a source, which may have got more. */
  ensure(seriesCount: number): void {
    const known = this.#numbers;
    if (seriesCount <= known.length) return;
    this.#numbers = new Int32Array(Math.max(seriesCount, known.length * 2)).fill(UNKNOWN);
    this.#numbers.set(known);
  }

  /** The number in the other source, {@link MISSING} or {@link UNKNOWN}. */
  get(id: number): number {
    return this.#numbers[id] as number;
  }

  set(id: number, number: number): void {
    this.#numbers[id] = number;
  }
}

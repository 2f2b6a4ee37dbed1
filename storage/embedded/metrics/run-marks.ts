/** There is a mark at every so many integers of a chunk. */
export const MARK_STRIDE = 256;

/**
 * Integers of the chunks of a page that were decoded on the way to others, so that the next reader of the end of a chunk
 * need not begin at its start. One object for all chunks of a page: point it at one with {@link RunMarks.at}.
 */
export class RunMarks {
  /** Value and step, per chunk and mark; NaN where the value is not known yet. */
  readonly #states: Float64Array;
  readonly #marksPerChunk: number;
  #first = 0;

  constructor(chunks: number, maxChunkSamples: number) {
    this.#marksPerChunk = RunMarks.#marksIn(maxChunkSamples);
    this.#states = new Float64Array(chunks * this.#marksPerChunk * 2).fill(Number.NaN);
  }

  static bytes(chunks: number, maxChunkSamples: number): number {
    return chunks * RunMarks.#marksIn(maxChunkSamples) * 16;
  }

  /** The integer at the start of a chunk is no mark. */
  static #marksIn(maxChunkSamples: number): number {
    return Math.ceil(maxChunkSamples / MARK_STRIDE) - 1;
  }

  at(chunk: number): this {
    this.#first = chunk * this.#marksPerChunk;
    return this;
  }

  /** The last mark at or before `index` whose integer is known, 0 when there is none. */
  knownBefore(index: number): number {
    let mark = Math.floor(index / MARK_STRIDE);
    while (mark > 0 && Number.isNaN(this.#states[this.#place(mark)])) mark--;
    return mark * MARK_STRIDE;
  }

  /** `index` is a mark that is known. */
  value(index: number): number {
    return this.#states[this.#place(index / MARK_STRIDE)] as number;
  }

  step(index: number): number {
    return this.#states[this.#place(index / MARK_STRIDE) + 1] as number;
  }

  set(index: number, value: number, step: number): void {
    const place = this.#place(index / MARK_STRIDE);
    this.#states[place] = value;
    this.#states[place + 1] = step;
  }

  #place(mark: number): number {
    return (this.#first + mark - 1) * 2;
  }
}

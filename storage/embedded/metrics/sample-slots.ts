/** 32 samples: with 16, reading a series takes 60 % longer, because every slot is a miss of the processor's cache. */
const USUAL_SHIFT = 5;
/** 8 samples, where most series have no more: then they would leave most of a larger one empty. */
const SPARSE_SHIFT = 3;
const SLAB_SHIFT = 16;
const SLAB_SAMPLES = 1 << SLAB_SHIFT;
const SLAB_MASK = SLAB_SAMPLES - 1;
const MAX_DELTA_MS = 0xffffffff;

/**
 * Ascending samples of many series in slabs of big typed arrays: slots of 32 samples (8 in sparse ones), each linked to
 * the one before. A sample takes 12 bytes (its time as the distance to the first of its slot), a slot 12 more, so a
 * series that has just begun takes about 420 bytes here, or 130. Samples are numbered; number 0 is never used.
 */
export class SampleSlots {
  readonly #deltas: Uint32Array[] = [];
  readonly #values: Float64Array[] = [];
  /** Per slot: the time its deltas are relative to, and the slot before it, 0 for none. */
  readonly #bases: Float64Array[] = [];
  readonly #before: Int32Array[] = [];
  #nextSlot = 1;
  readonly #shift: number;
  readonly #slotSamples: number;

  /** Per series: the number after its newest sample, 0 when it has none. */
  #ends = new Int32Array(1024);
  #counts = new Uint32Array(1024);
  #tailBases = new Float64Array(1024);

  constructor(density: "usual" | "sparse" = "usual") {
    this.#shift = density === "sparse" ? SPARSE_SHIFT : USUAL_SHIFT;
    this.#slotSamples = 1 << this.#shift;
  }

  get bytes(): number {
    return this.#values.length * (SLAB_SAMPLES * 12 + (SLAB_SAMPLES / this.#slotSamples) * 12) + this.#ends.length * 16;
  }

  ensureSeries(count: number): void {
    if (count <= this.#ends.length) return;
    this.#ends = grown(this.#ends, new Int32Array(count * 2));
    this.#counts = grown(this.#counts, new Uint32Array(count * 2));
    this.#tailBases = grown(this.#tailBases, new Float64Array(count * 2));
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
    let at = end;
    let delta = 0;
    if ((end & (this.#slotSamples - 1)) === 0) {
      at = this.#addSlot(end === 0 ? 0 : (end >>> this.#shift) - 1, timeMs);
      this.#tailBases[series] = timeMs;
    } else {
      delta = timeMs - (this.#tailBases[series] as number);
      if (delta > MAX_DELTA_MS) return false;
    }
    const slab = at >>> SLAB_SHIFT;
    const place = at & SLAB_MASK;
    (this.#deltas[slab] as Uint32Array)[place] = delta;
    (this.#values[slab] as Float64Array)[place] = values[index] as number;
    this.#ends[series] = at + 1;
    (this.#counts[series] as number)++;
    return true;
  }

  #addSlot(before: number, baseMs: number): number {
    const slot = this.#nextSlot++;
    const slab = slot >>> (SLAB_SHIFT - this.#shift);
    if (slab === this.#values.length) {
      this.#deltas.push(new Uint32Array(SLAB_SAMPLES));
      this.#values.push(new Float64Array(SLAB_SAMPLES));
      this.#bases.push(new Float64Array(SLAB_SAMPLES / this.#slotSamples));
      this.#before.push(new Int32Array(SLAB_SAMPLES / this.#slotSamples));
    }
    const place = slot & (SLAB_MASK >>> this.#shift);
    (this.#bases[slab] as Float64Array)[place] = baseMs;
    (this.#before[slab] as Int32Array)[place] = before;
    return slot << this.#shift;
  }

  /** Samples of the series from `startMs` on, at most: whole slots are counted. Fills `slots` with them, newest first. */
  slotsFrom(series: number, startMs: number, slots: number[]): number {
    slots.length = 0;
    const end = this.#ends[series] as number;
    if (end === 0) return 0;
    let slot = (end - 1) >>> this.#shift;
    let count = end - (slot << this.#shift);
    for (;;) {
      slots.push(slot);
      const slab = slot >>> (SLAB_SHIFT - this.#shift);
      const place = slot & (SLAB_MASK >>> this.#shift);
      const before = (this.#before[slab] as Int32Array)[place] as number;
      if (before === 0 || ((this.#bases[slab] as Float64Array)[place] as number) <= startMs) return count;
      slot = before;
      count += this.#slotSamples;
    }
  }

  /** Copies the samples of `slots` (as `slotsFrom` gave them) in ascending order. */
  copy(
    series: number,
    slots: readonly number[],
    timesMs: Float64Array,
    timesFrom: number,
    values: Float64Array,
    valuesFrom: number,
  ): void {
    const end = this.#ends[series] as number;
    let at = 0;
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i] as number;
      const slab = slot >>> (SLAB_SHIFT - this.#shift);
      const base = (this.#bases[slab] as Float64Array)[slot & (SLAB_MASK >>> this.#shift)] as number;
      const from = (slot << this.#shift) & SLAB_MASK;
      const count = i === 0 ? end - (slot << this.#shift) : this.#slotSamples;
      const deltas = this.#deltas[slab] as Uint32Array;
      const source = this.#values[slab] as Float64Array;
      for (let k = 0; k < count; k++) {
        timesMs[timesFrom + at] = base + (deltas[from + k] as number);
        values[valuesFrom + at] = source[from + k] as number;
        at++;
      }
    }
  }
}

function grown<T extends Int32Array | Uint32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

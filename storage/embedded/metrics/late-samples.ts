/** Samples of one series that came in any order. Grows by doubling; 24 bytes a sample. */
export class LateSamples {
  #timesMs = new Float64Array(4);
  #values = new Float64Array(4);
  #startsMs = new Float64Array(4);
  #length = 0;
  #ascending = true;

  get length(): number {
    return this.#length;
  }

  append(timeMs: number, values: Float64Array, index: number, startMs: number): void {
    const at = this.#length++;
    if (at === this.#timesMs.length) {
      this.#timesMs = doubled(this.#timesMs);
      this.#values = doubled(this.#values);
      this.#startsMs = doubled(this.#startsMs);
    }
    if (at > 0 && timeMs <= (this.#timesMs[at - 1] as number)) this.#ascending = false;
    this.#timesMs[at] = timeMs;
    this.#values[at] = values[index] as number;
    this.#startsMs[at] = startMs;
  }

  /** Ascending in time, of several at one time the first. Arrays that later appends do not change. */
  sorted(): { readonly timesMs: Float64Array; readonly values: Float64Array; readonly startsMs: Float64Array } {
    if (!this.#ascending) this.#sort();
    return {
      timesMs: this.#timesMs.slice(0, this.#length),
      values: this.#values.slice(0, this.#length),
      startsMs: this.#startsMs.slice(0, this.#length),
    };
  }

  #sort(): void {
    const times = this.#timesMs;
    // The sort of typed arrays is stable, so that the first write of a time comes first.
    const order = Uint32Array.from({ length: this.#length }, (_, i) => i).sort(
      (a, b) => (times[a] as number) - (times[b] as number),
    );
    const kept = order.filter((index, i) => i === 0 || times[index] !== times[order[i - 1] as number]);
    this.#timesMs = picked(this.#timesMs, kept);
    this.#values = picked(this.#values, kept);
    this.#startsMs = picked(this.#startsMs, kept);
    this.#length = kept.length;
    this.#ascending = true;
  }
}

function doubled(old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(old.length * 2);
  larger.set(old);
  return larger;
}

function picked(from: Float64Array, indexes: Uint32Array): Float64Array<ArrayBuffer> {
  const to = new Float64Array(Math.max(4, indexes.length));
  for (let i = 0; i < indexes.length; i++) to[i] = from[indexes[i] as number] as number;
  return to;
}

import { type Labels, sameLabels } from "@sightline/model/labels.ts";
import type { SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";

/**
 * Finds series by their labels and info: open addressing over the numbers of a table that the owner appends to. It keeps
 * nothing of the series but a hash, 16 to 24 bytes each.
 */
export class SeriesIndex {
  readonly #series: readonly SeriesKey[];
  /** Number + 1, 0 where free. A power of two, at most half full. */
  #slots = new Int32Array(1 << 10);
  #hashes = new Int32Array(1 << 9);
  #size = 0;

  constructor(series: readonly SeriesKey[]) {
    this.#series = series;
  }

  /** The number of the series, -1 when there is none. */
  find(hash: number, labels: Labels, info: SeriesInfo): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = (slots[slot] as number) - 1;
      if (number < 0) return -1;
      if (this.#hashes[number] !== hash) continue;
      const key = this.#series[number] as SeriesKey;
      if (sameInfo(key.info, info) && sameLabels(key.labels, labels)) return number;
    }
  }

  /** Adds the series `number`, the next one, which {@link find} did not find. */
  add(hash: number, number: number): void {
    if (number >= this.#hashes.length) this.#grow();
    this.#hashes[number] = hash;
    this.#size = number + 1;
    this.#place(hash, number);
  }

  #place(hash: number, number: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number + 1;
  }

  #grow(): void {
    const hashes = new Int32Array(2 * this.#hashes.length);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    this.#slots = new Int32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#size; number++) this.#place(hashes[number] as number, number);
  }
}

/** Differs from process to process, so that nobody can prepare labels that all fall into one slot. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0;

export function hashLabels(labels: Labels): number {
  let hash = SEED;
  for (const [name, value] of labels) {
    hash = hashText(hash, name);
    hash = hashText(hash, value);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function hashText(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
  }
  // No text has this: the border between two of them.
  return Math.imul(hash ^ 0x10000, 0x85ebca6b);
}

function sameInfo(a: SeriesInfo, b: SeriesInfo): boolean {
  if (a === b) return true;
  return a.type === b.type && a.temporality === b.temporality && a.unit === b.unit && a.otelName === b.otelName;
}

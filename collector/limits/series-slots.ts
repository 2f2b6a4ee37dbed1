import { type Labels, labelValue, METRIC_NAME } from "@sightline/model/labels.ts";

import type { SavedSlots } from "./slots-codec.ts";

export type SeriesBounds = { readonly maxSeries: number; readonly maxPerMetric: number; readonly windowMs: number };

/** Who is active, by a hash of the labels: some 60 bytes a series. Two series with one hash (53 bits) count as one. */
export class SeriesSlots {
  readonly #bounds: SeriesBounds;
  readonly #byHash = new Map<number, number>();
  readonly #perMetric = new Map<string, number>();
  readonly #metrics: (string | undefined)[] = [];
  readonly #hashes: number[] = [];
  readonly #free: number[] = [];
  #seenMs = new Float64Array(1_024);

  constructor(bounds: SeriesBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** The slot of a series, a new one when there is room for it; -1 when there is none. */
  claim(labels: Labels): number {
    const hash = hashLabels(labels);
    return this.#byHash.get(hash) ?? this.#claim(hash, labelValue(labels, METRIC_NAME));
  }

  /** Gives a place to a series to which all collectors together gave one, without a look at the bounds. */
  grant(hash: number, metric: string): void {
    if (!this.#byHash.has(hash)) this.#take(hash, metric);
  }

  /** Takes it away again. */
  revoke(hash: number): void {
    const slot = this.#byHash.get(hash);
    if (slot !== undefined) this.#release(slot, this.#metrics[slot] as string);
  }

  has(hash: number): boolean {
    return this.#byHash.has(hash);
  }

  #claim(hash: number, metric: string): number {
    const known = this.#byHash.get(hash);
    if (known !== undefined) return known;
    const { maxSeries, maxPerMetric } = this.#bounds;
    const ofMetric = this.#perMetric.get(metric) ?? 0;
    if (this.#byHash.size >= maxSeries || (maxPerMetric > 0 && ofMetric >= maxPerMetric)) return -1;
    return this.#take(hash, metric);
  }

  #take(hash: number, metric: string): number {
    const ofMetric = this.#perMetric.get(metric) ?? 0;
    const slot = this.#free.pop() ?? this.#hashes.length;
    this.#byHash.set(hash, slot);
    this.#perMetric.set(metric, ofMetric + 1);
    this.#hashes[slot] = hash;
    this.#metrics[slot] = metric;
    this.#reserve(slot);
    return slot;
  }

  /** Who is active, for {@link restore} after a restart. */
  saved(): SavedSlots {
    const saved = new Map<string, { hash: number; seenMs: number }[]>();
    for (const [slot, metric] of this.#metrics.entries()) {
      if (metric === undefined) continue;
      const entry = { hash: this.#hashes[slot] as number, seenMs: this.#seenMs[slot] as number };
      const ofMetric = saved.get(metric);
      if (ofMetric) ofMetric.push(entry);
      else saved.set(metric, [entry]);
    }
    return saved;
  }

  /** Gives places to those that had them, as long as there are some. */
  restore(saved: SavedSlots): void {
    for (const [metric, series] of saved) {
      for (const { hash, seenMs } of series) {
        const slot = this.#claim(hash, metric);
        if (slot >= 0) this.touch(slot, seenMs);
      }
    }
  }

  touch(slot: number, nowMs: number): void {
    this.#seenMs[slot] = nowMs;
  }

  /** Gives back the slots of series that were not touched within the window. True when there were some. */
  sweep(nowMs: number): boolean {
    const before = this.#free.length;
    for (const [slot, metric] of this.#metrics.entries()) {
      if (metric === undefined || nowMs - (this.#seenMs[slot] as number) <= this.#bounds.windowMs) continue;
      this.#release(slot, metric);
    }
    return this.#free.length > before;
  }

  #release(slot: number, metric: string): void {
    this.#byHash.delete(this.#hashes[slot] as number);
    const left = (this.#perMetric.get(metric) as number) - 1;
    if (left > 0) this.#perMetric.set(metric, left);
    else this.#perMetric.delete(metric);
    this.#metrics[slot] = undefined;
    this.#free.push(slot);
  }

  #reserve(slot: number): void {
    if (slot < this.#seenMs.length) return;
    const larger = new Float64Array(2 * slot);
    larger.set(this.#seenMs);
    this.#seenMs = larger;
  }
}

/** 53 bits. */
export function hashLabels(labels: Labels): number {
  let a = 0x811c9dc5;
  let b = 0x1b873593;
  for (const [name, value] of labels) {
    for (const text of [name, value]) {
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        a = Math.imul(a ^ code, 0x01000193);
        b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 15);
      }
      // No text has this: the border between two of them.
      a = Math.imul(a ^ 0x10000, 0x01000193);
      b = Math.imul(b ^ 0x10000, 0x85ebca6b) ^ (b >>> 15);
    }
  }
  return (a >>> 0) * 2 ** 21 + (b >>> 11);
}

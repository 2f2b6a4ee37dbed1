import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";

/** Changes are told apart by this much of the samples' time. */
const BUCKET_MS = 60_000;
/** A month of buckets, about 2 MB: beyond that everything counts as changed once. */
const MAX_BUCKETS = 45_000;

/** When which part of time was last changed, by a version that goes up with every change. */
export class ChangeLog {
  readonly #changed = new Map<number, number>();
  #allChanged = 0;
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** Rows that are refused count, too: it costs less than to tell them apart. */
  appended({ length, timesMs, histograms }: MetricBatch): void {
    this.#version++;
    let last = Number.NaN;
    for (let i = 0; i < length; i++) {
      const bucket = Math.floor((timesMs[i] as number) / BUCKET_MS);
      if (bucket === last) continue;
      last = bucket;
      this.#mark(bucket);
    }
    for (const { timeMs } of histograms) this.#mark(Math.floor(timeMs / BUCKET_MS));
  }

  rangeChanged({ startMs, endMs }: TimeRange): void {
    this.#version++;
    const last = Math.floor(endMs / BUCKET_MS);
    const first = Math.floor(startMs / BUCKET_MS);
    if (last - first > MAX_BUCKETS) this.everythingChanged();
    else for (let bucket = first; bucket <= last; bucket++) this.#mark(bucket);
  }

  everythingChanged(): void {
    this.#allChanged = ++this.#version;
    this.#changed.clear();
  }

  since(version: number, range: TimeRange): readonly TimeRange[] {
    if (version < this.#allChanged) return [range];
    const first = Math.floor(range.startMs / BUCKET_MS);
    const last = Math.floor(range.endMs / BUCKET_MS);
    const changed: number[] = [];
    const look = (bucket: number) => {
      if ((this.#changed.get(bucket) ?? 0) > version) changed.push(bucket);
    };
    if (last - first < this.#changed.size) {
      for (let bucket = first; bucket <= last; bucket++) look(bucket);
    } else {
      for (const bucket of this.#changed.keys()) if (bucket >= first && bucket <= last) look(bucket);
      changed.sort((a, b) => a - b);
    }
    return rangesOf(changed, range);
  }

  #mark(bucket: number): void {
    if (this.#changed.size >= MAX_BUCKETS && !this.#changed.has(bucket)) this.everythingChanged();
    this.#changed.set(bucket, this.#version);
  }
}

function rangesOf(buckets: readonly number[], range: TimeRange): TimeRange[] {
  const ranges: { startMs: number; endMs: number }[] = [];
  for (const bucket of buckets) {
    const startMs = Math.max(range.startMs, bucket * BUCKET_MS);
    const endMs = Math.min(range.endMs, (bucket + 1) * BUCKET_MS - 1);
    const before = ranges.at(-1);
    if (before && before.endMs + 1 === startMs) before.endMs = endMs;
    else ranges.push({ startMs, endMs });
  }
  return ranges;
}

import type { LogPattern } from "@sightline/model/log-pattern-store.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import type { LineTemplate } from "./line-template.ts";
import type { TimeCounts } from "./time-counts.ts";

type Sums = { readonly pattern: string; readonly level: string; readonly byTime: Map<number, number> };

/** Adds up what is counted for equal patterns: of several streams, and of templates that became alike. */
export class PatternSums {
  readonly #startSeconds: number;
  readonly #endSeconds: number;
  readonly #sums = new Map<string, Sums>();

  /** Intervals count that begin in the range, the one in which it begins included. */
  constructor(range?: TimeRangeNs) {
    this.#startSeconds = range ? Math.floor(Number(range.startNs / 1_000_000_000n) / 10) * 10 : -Infinity;
    this.#endSeconds = range ? Number(range.endNs) / 1e9 : Infinity;
  }

  /** What it counts of the streams that are wanted, by their numbers; of all without. */
  addTemplate(template: LineTemplate, level: string, isWanted?: readonly boolean[]): void {
    for (const [stream, counts] of template.counts.entries()) {
      if (counts && isWanted?.[stream] !== false) this.#add(template.text, level, counts);
    }
  }

  #add(pattern: string, level: string, counts: TimeCounts): void {
    if (counts.lastSeconds < this.#startSeconds) return;
    const key = `${level}\n${pattern}`;
    let sums = this.#sums.get(key);
    counts.each((time, count) => {
      if (time < this.#startSeconds || time >= this.#endSeconds) return;
      if (!sums) {
        sums = { pattern, level, byTime: new Map() };
        this.#sums.set(key, sums);
      }
      sums.byTime.set(time, (sums.byTime.get(time) ?? 0) + count);
    });
  }

  patterns(): LogPattern[] {
    return Array.from(this.#sums.values(), ({ pattern, level, byTime }) => {
      const times = Float64Array.from(byTime.keys()).sort();
      const counts = Float64Array.from(times, (time) => byTime.get(time) as number);
      return { pattern, level, timesMs: times.map((seconds) => seconds * 1_000), counts };
    });
  }
}

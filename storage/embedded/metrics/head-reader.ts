import type { TimeRange } from "@sightline/model/time-range.ts";
import { firstFrom } from "./first-from.ts";
import type { HistogramSamples } from "./histogram-samples.ts";
import type { LateSamples } from "./late-samples.ts";
import type { SampleSlots } from "./sample-slots.ts";
import type { SeriesAssembler } from "./series-assembler.ts";
import type { SeriesReader } from "./series-source.ts";
import type { StartRuns } from "./start-runs.ts";

/** Where a head has the samples of its series; may grow between two reads. */
export type HeadSamples = {
  /** In the order of time. */
  readonly slots: SampleSlots;
  /** Of those in slots. */
  readonly starts: StartRuns;
  readonly late: ReadonlyMap<number, LateSamples>;
  readonly histograms: ReadonlyMap<number, HistogramSamples>;
};

/** Times of a series in the range: those from `from` to `to`, the `skip` ones before them are too old. */
type TimeRun = { readonly timesMs: Float64Array; readonly from: number; readonly to: number; readonly skip: number };

/** The first one is as long as it must be: most queries are about few targets. */
const MAX_TIMES_SLAB = 32 * 1024;
const NEWEST_TIMES = 256;
const NO_TIMES = new Float64Array(0);

/** Reads series of a head for one query, with one array for the times of many: those that were handed out stay as they are. */
export class HeadReader implements SeriesReader {
  readonly #samples: HeadSamples;
  readonly #slots: number[] = [];
  #timesMs = NO_TIMES;
  #used = 0;
  /** Of the series that was read before: where its times are, how many, and those of them that were asked for. */
  #times: number[] = [];
  #count = 0;
  #range: TimeRange | undefined;
  #run: TimeRun = { timesMs: NO_TIMES, from: 0, to: 0, skip: 0 };
  #spareTimes: number[] = [];

  constructor(samples: HeadSamples) {
    this.#samples = samples;
  }

  read(id: number, range: TimeRange, into: SeriesAssembler): void {
    const { startMs, endMs } = range;
    const { slots, starts, late, histograms } = this.#samples;
    const times = this.#spareTimes;
    const count = slots.slotsFrom(id, startMs, this.#slots, times);
    if (count > 0) {
      const { timesMs, from, to, skip } = this.#runOf(times, count, range);
      const at = into.reserve(count);
      slots.copyValues(this.#slots, count, into.values, at);
      const startsMs = from < to ? starts.read(id, slots.countOf(id) - count, count) : undefined;
      into.add(timesMs, from, to - from, skip, startsMs, skip);
    }
    const lateOnes = late.size > 0 ? late.get(id) : undefined;
    if (lateOnes) addLate(lateOnes, range, into);
    const ownHistograms = histograms.size > 0 ? histograms.get(id) : undefined;
    if (ownHistograms) {
      const run = ownHistograms.inRange(startMs, endMs);
      into.addHistograms(run.timesMs, run.startsMs, run.values);
    }
  }

  /** The same array for series that share their times and are read one after the other. */
  #runOf(times: number[], count: number, range: TimeRange): TimeRun {
    if (range === this.#range && count === this.#count && sameNumbers(times, this.#times)) return this.#run;
    this.#run = this.#readRun(times, count, range);
    this.#spareTimes = this.#times;
    this.#times = times;
    this.#count = count;
    this.#range = range;
    return this.#run;
  }

  #readRun(times: readonly number[], count: number, { startMs, endMs }: TimeRange): TimeRun {
    if (this.#used + count > this.#timesMs.length) {
      this.#timesMs = new Float64Array(Math.max(count, Math.min(MAX_TIMES_SLAB, this.#timesMs.length * 4)));
      this.#used = 0;
    }
    const timesMs = this.#timesMs;
    const used = this.#used;
    this.#samples.slots.copyTimes(times, count, timesMs, used);
    const from = firstFrom(timesMs, startMs, used, used + count);
    const to = firstFrom(timesMs, endMs + 1, from, used + count);
    this.#used = to;
    return { timesMs, from, to, skip: from - used };
  }

  /**
   * Reads only the newest sample in order, which is the given one. False, and nothing is read, when more has to be looked
   * at.
   */
  readNewest(id: number, timeMs: number, value: number, { startMs, endMs }: TimeRange, into: SeriesAssembler): boolean {
    const { slots, starts, late, histograms } = this.#samples;
    const count = slots.countOf(id);
    // That of the head before may be the newest; a late sample may be newer than those in slots.
    if (count === 0 || timeMs > endMs || late.has(id) || histograms.has(id)) return false;
    if (timeMs < startMs) return true;
    if (this.#timesMs[this.#used - 1] !== timeMs) {
      if (this.#used >= this.#timesMs.length) {
        this.#timesMs = new Float64Array(NEWEST_TIMES);
        this.#used = 0;
      }
      this.#timesMs[this.#used++] = timeMs;
    }
    const at = into.reserve(1);
    into.values[at] = value;
    into.add(this.#timesMs, this.#used - 1, 1, 0, starts.read(id, count - 1, 1));
    return true;
  }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** In-order samples have been handed over before: of two at one time, the late one is the second. */
function addLate(late: LateSamples, { startMs, endMs }: TimeRange, into: SeriesAssembler): void {
  const { timesMs, values, startsMs } = late.sorted();
  const from = firstFrom(timesMs, startMs);
  const to = firstFrom(timesMs, endMs + 1);
  if (from >= to) return;
  const at = into.reserve(to - from);
  into.values.set(values.subarray(from, to), at);
  into.add(timesMs, from, to - from, 0, startsMs, from);
}

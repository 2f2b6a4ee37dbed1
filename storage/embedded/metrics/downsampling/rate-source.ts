import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { ForwardingSource } from "../forwarding-source.ts";
import { type AssembledSeries, SeriesAssembler } from "../series-assembler.ts";
import type { SeriesReader, SeriesSource } from "../series-source.ts";
import { windowOf } from "./windows.ts";
import type { WindowsFile } from "./windows-file.ts";

/** What functions make of the difference of two samples. */
const FUNCTIONS = new Set(["rate", "increase", "delta"]);
/** Ranges of so many windows have enough samples as they are. */
const MAX_WINDOWS = 4;
const POINTS_PER_WINDOW = 10;

export function needsPoints(hints: SelectHints | undefined, resolutionMs: number): boolean {
  return hints?.aggregated === true && FUNCTIONS.has(hints.func) && hints.rangeMs < MAX_WINDOWS * resolutionMs;
}

/**
 * A downsampled block as the change over a short range sees it: with points on the line from the first sample of a window
 * to its last. Else a range that begins and ends inside of windows would have nothing but the two samples on both sides of
 * a boundary, and most of what happened would be missing. Where ranges are whole windows points change nothing.
 */
export class RateSource extends ForwardingSource {
  readonly #windows: WindowsFile;
  readonly #resolutionMs: number;
  readonly #isCounter: boolean;

  constructor(samples: SeriesSource, windows: WindowsFile, resolutionMs: number, hints: SelectHints) {
    super(samples);
    this.#windows = windows;
    this.#resolutionMs = resolutionMs;
    this.#isCounter = hints.func !== "delta";
  }

  override async open(ids: readonly number[], range: TimeRange): Promise<SeriesReader> {
    // The samples that a line at an end of the range goes from and to are outside of it.
    const wider = { startMs: range.startMs - this.#resolutionMs, endMs: range.endMs + this.#resolutionMs };
    const reader = await this.source.open(ids, wider);
    const assembler = new SeriesAssembler(true);
    return {
      read: (id, wanted, into) => {
        if (!this.#windows.has(id)) return reader.read(id, wanted, into);
        assembler.beginGroup();
        assembler.begin();
        reader.read(
          id,
          { startMs: wanted.startMs - this.#resolutionMs, endMs: wanted.endMs + this.#resolutionMs },
          assembler,
        );
        const samples = assembler.finish();
        if (!samples) return;
        const { timesMs, values, startsMs } = this.#withPoints(samples, wanted);
        const at = into.reserve(timesMs.length);
        into.values.set(values, at);
        into.add(timesMs, 0, timesMs.length, 0, startsMs);
      },
    };
  }

  #withPoints({ timesMs, values, startsMs }: AssembledSeries, { startMs, endMs }: TimeRange) {
    const times: number[] = [];
    /** Indexes of the samples before and after, and how far between them. */
    const pairs: [before: number, after: number, share: number][] = [];
    const add = (timeMs: number, before: number, after: number, share: number) => {
      if (timeMs < startMs || timeMs > endMs) return;
      times.push(timeMs);
      pairs.push([before, after, share]);
    };
    for (let i = 0; i < timesMs.length; i++) {
      if (i > 0) this.#addPoints(timesMs, values, i, add);
      add(timesMs[i] as number, i, i, 0);
    }
    const filled = new Float64Array(times.length);
    pairs.forEach(([before, after, share], i) => {
      // A sample is copied as it is: it may be a staleness marker.
      if (before === after) filled[i] = values[before] as number;
      else filled[i] = (values[before] as number) * (1 - share) + (values[after] as number) * share;
    });
    const starts = startsMs && Float64Array.from(pairs, ([, after]) => startsMs[after] as number);
    return { timesMs: Float64Array.from(times), values: filled, startsMs: starts };
  }

  #addPoints(
    timesMs: Float64Array,
    values: Float64Array,
    after: number,
    add: (timeMs: number, before: number, after: number, share: number) => void,
  ): void {
    const before = after - 1;
    const [fromMs, toMs] = [timesMs[before] as number, timesMs[after] as number];
    const change = (values[after] as number) - (values[before] as number);
    const isLine = this.#isCounter ? change >= 0 : !Number.isNaN(change);
    if (!isLine || windowOf(fromMs, this.#resolutionMs) !== windowOf(toMs, this.#resolutionMs)) return;
    const points = Math.floor(((toMs - fromMs) * POINTS_PER_WINDOW) / this.#resolutionMs);
    for (let k = 1; k < points; k++) {
      const timeMs = Math.round(fromMs + ((toMs - fromMs) * k) / points);
      add(timeMs, before, after, (timeMs - fromMs) / (toMs - fromMs));
    }
  }
}

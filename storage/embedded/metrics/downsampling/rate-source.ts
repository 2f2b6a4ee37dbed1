import { type Line, withPoints } from "@sightline/model/downsampling/rate-points.ts";
import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { ForwardingSource } from "../forwarding-source.ts";
import { SeriesAssembler } from "../series-assembler.ts";
import type { SeriesReader, SeriesSource } from "../series-source.ts";
import type { WindowsFile } from "./windows-file.ts";

/**
 * A downsampled block as the change over a short range sees it: with points on the line from the first sample of a window
 * to its last. Else a range that begins and ends inside of windows would have nothing but the two samples on both sides of
 * a boundary, and most of what happened would be missing. Where ranges are whole windows points change nothing.
 */
export class RateSource extends ForwardingSource {
  readonly #windows: WindowsFile;
  readonly #resolutionMs: number;
  readonly #line: Line;

  constructor(samples: SeriesSource, windows: WindowsFile, resolutionMs: number, hints: SelectHints) {
    super(samples);
    this.#windows = windows;
    this.#resolutionMs = resolutionMs;
    this.#line = { resolutionMs, isCounter: hints.func !== "delta" };
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
        const { timesMs, values, startsMs } = withPoints(samples, wanted, this.#line);
        const at = into.reserve(timesMs.length);
        into.values.set(values, at);
        into.add(timesMs, 0, timesMs.length, 0, startsMs);
      },
    };
  }
}

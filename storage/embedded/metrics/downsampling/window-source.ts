import type { SelectHints } from "@sightline/model/metric-store.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { ForwardingSource } from "../forwarding-source.ts";
import type { SeriesAssembler } from "../series-assembler.ts";
import type { SeriesReader, SeriesSource } from "../series-source.ts";
import type { WindowColumn } from "./windows.ts";
import type { WindowsFile, WindowsReader } from "./windows-file.ts";

/** What a function is given of a window: its value, and whether it asks how many samples that is of. */
type Use = { readonly column: WindowColumn; readonly counted: boolean };

const USES: ReadonlyMap<string, Use> = new Map([
  ["sum_over_time", { column: "sums", counted: false }],
  ["min_over_time", { column: "mins", counted: false }],
  ["max_over_time", { column: "maxs", counted: false }],
  ["avg_over_time", { column: "sums", counted: true }],
  ["count_over_time", { column: "counts", counted: true }],
]);

/** What the function that samples are for makes of windows; undefined when it needs samples. */
export function useOfWindows(hints: SelectHints | undefined): Use | undefined {
  return hints?.aggregated ? USES.get(hints.func) : undefined;
}

/** A downsampled block as a function of ranges sees it: windows instead of the samples that are left. */
export class WindowSource extends ForwardingSource {
  readonly #windows: WindowsFile;
  readonly #use: Use;

  constructor(samples: SeriesSource, windows: WindowsFile, use: Use) {
    super(samples);
    this.#windows = windows;
    this.#use = use;
  }

  override async open(ids: readonly number[], range: TimeRange): Promise<SeriesReader> {
    const { column, counted } = this.#use;
    const isDownsampled = (id: number) => this.#windows.has(id);
    const plain = await this.source.open(
      ids.filter((id) => !isDownsampled(id)),
      range,
    );
    const columns = counted && column !== "counts" ? [column, "counts" as const] : [column];
    const windows = await this.#windows.open(ids.filter(isDownsampled), columns, range);
    return {
      read: (id, range, into) => {
        if (isDownsampled(id)) this.#read(windows, id, range, into);
        else plain.read(id, range, into);
      },
    };
  }

  #read(windows: WindowsReader, id: number, range: TimeRange, into: SeriesAssembler): void {
    const { column, counted } = this.#use;
    const found = windows.read(id, column, [range]);
    if (!found) return;
    const counts = counted && column !== "counts" ? windows.read(id, "counts", [range])?.values : undefined;
    if (column === "counts") into.addCounted(found.timesMs, found.values, found.values);
    else if (counts) into.addCounted(found.timesMs, found.values, counts);
    else {
      const at = into.reserve(found.values.length);
      into.values.set(found.values, at);
      into.add(found.timesMs, 0, found.timesMs.length, 0);
    }
  }
}

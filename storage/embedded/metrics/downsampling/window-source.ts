import type { WindowUse } from "@sightline/model/downsampling/window-use.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { ForwardingSource } from "../forwarding-source.ts";
import type { SeriesAssembler } from "../series-assembler.ts";
import type { SeriesReader, SeriesSource } from "../series-source.ts";
import type { WindowsFile, WindowsReader } from "./windows-file.ts";

/** A downsampled block as a function of ranges sees it: windows instead of the samples that are left. */
export class WindowSource extends ForwardingSource {
  readonly #windows: WindowsFile;
  readonly #use: WindowUse;

  constructor(samples: SeriesSource, windows: WindowsFile, use: WindowUse) {
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

import { WINDOW_COLUMNS, type WindowColumn, type Windows } from "@sightline/model/downsampling/windows.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import { BlockWriter } from "../block-writer.ts";
import { SeriesAssembler } from "../series-assembler.ts";
import type { SeriesReader, SeriesSource } from "../series-source.ts";

/**
 * The windows of the series of one downsampled block are in a file beside it: a block, too, whose series `4 i + c` is
 * column c of the windows of series i. Series that were not downsampled have none.
 */
const COLUMNS = WINDOW_COLUMNS.length;
const DOWNSAMPLED: SeriesInfo = { ...NO_INFO, unit: "window" };
const NOTHING = { timesMs: new Float64Array(0), values: new Float64Array(0), histograms: undefined };

/** Where the windows of a block are, by the path of its file. */
export function windowsPathOf(path: string): string {
  return `${path}.windows`;
}

/** Writes such a file: call `add` for every series of the block in turn, await `drain` in between. */
export class WindowsFileWriter {
  readonly #writer: BlockWriter;
  #series = 0;
  #downsampled = 0;

  private constructor(writer: BlockWriter) {
    this.#writer = writer;
  }

  static async create(path: string): Promise<WindowsFileWriter> {
    return new WindowsFileWriter(await BlockWriter.create(path));
  }

  get path(): string {
    return this.#writer.path;
  }

  add(windows: Windows | undefined): void {
    for (const column of WINDOW_COLUMNS) {
      const labels = labelsOf(this.#series, column);
      if (!windows) this.#writer.add(labels, NO_INFO, NOTHING);
      else {
        const { timesMs, [column]: values } = windows;
        this.#writer.add(labels, DOWNSAMPLED, { timesMs, values, histograms: undefined });
      }
    }
    this.#series++;
    if (windows) this.#downsampled++;
  }

  drain(): Promise<void> {
    return this.#writer.drain();
  }

  /** The size of the file; undefined, and there is no file, when no series was downsampled. */
  async finish(): Promise<number | undefined> {
    if (this.#downsampled > 0) return (await this.#writer.finish()).bytes;
    await this.#writer.abort();
    return undefined;
  }

  abort(): Promise<void> {
    return this.#writer.abort();
  }
}

/** Reads such a file. */
export class WindowsFile {
  readonly #source: SeriesSource;

  constructor(source: SeriesSource) {
    this.#source = source;
  }

  has(id: number): boolean {
    return this.#source.infoOf(id * COLUMNS).unit === DOWNSAMPLED.unit;
  }

  /** Gets ready to read some columns of series, given as ascending numbers, that have windows. */
  async open(ids: readonly number[], columns: readonly WindowColumn[], range: TimeRange): Promise<WindowsReader> {
    const numbers = columns.map((column) => WINDOW_COLUMNS.indexOf(column)).sort((a, b) => a - b);
    const wanted = ids.flatMap((id) => numbers.map((number) => id * COLUMNS + number));
    return new WindowsReader(await this.#source.open(wanted, range));
  }
}

export class WindowsReader {
  readonly #reader: SeriesReader;
  readonly #assembler = new SeriesAssembler();

  constructor(reader: SeriesReader) {
    this.#reader = reader;
  }

  /** One column of the windows that end in the range; undefined when there is none. */
  read(id: number, column: WindowColumn, ranges: readonly TimeRange[]) {
    this.#assembler.begin();
    for (const range of ranges)
      this.#reader.read(id * COLUMNS + WINDOW_COLUMNS.indexOf(column), range, this.#assembler);
    return this.#assembler.finish();
  }

  all(id: number, ranges: readonly TimeRange[]): Windows | undefined {
    const counts = this.read(id, "counts", ranges);
    const values = (column: WindowColumn) => this.read(id, column, ranges)?.values ?? NOTHING.values;
    if (!counts) return undefined;
    const { timesMs, values: all } = counts;
    return { timesMs, counts: all, sums: values("sums"), mins: values("mins"), maxs: values("maxs") };
  }
}

/** They ascend as the numbers do. */
function labelsOf(series: number, column: WindowColumn): Labels {
  return [
    ["series", String(series).padStart(9, "0")],
    ["window", String(WINDOW_COLUMNS.indexOf(column))],
  ];
}

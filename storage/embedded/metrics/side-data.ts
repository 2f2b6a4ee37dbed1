import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { crc32, zstdCompress, zstdDecompress } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import type { MetricBatch, MetricMetadata, SeriesKey } from "@sightline/model/metric-batch.ts";
import type { SeriesExemplars } from "@sightline/model/metric-store.ts";
import { writeFileAtomic } from "../files/write-file-atomic.ts";
import { ExemplarStore } from "./exemplar-store.ts";
import { TimeSlice } from "./time-slice.ts";

/** A line is made in one go. */
const LINE_EXEMPLARS = 1_000;
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

/** Limits of what a tenant keeps beside samples. */
export type SideDataLimits = { readonly maxExemplars: number; readonly maxMetadata: number };

/**
 * Exemplars and metadata of a tenant: small enough to be held in memory and written to one file as a whole, one JSON
 * text a line, compressed.
 */
export class SideData {
  readonly exemplars: ExemplarStore;
  readonly #maxMetadata: number;
  readonly #metadata = new Map<string, MetricMetadata>();
  #translated: readonly MetricMetadata[] | undefined;
  #changes = 0;
  #writtenChanges = 0;
  #savedChanges = 0;

  constructor({ maxExemplars, maxMetadata }: SideDataLimits) {
    this.exemplars = new ExemplarStore(maxExemplars);
    this.#maxMetadata = maxMetadata;
  }

  /** True when there is something that no confirmed file has. */
  get isDirty(): boolean {
    return this.#changes > this.#savedChanges;
  }

  /** Returns how many items found no room. */
  append(batch: MetricBatch): number {
    for (const { ref, timeMs, value, labels } of batch.exemplars) {
      const series = batch.series[ref] as SeriesKey;
      if (this.exemplars.append(series.labels, { timeMs, value, labels })) this.#changes++;
    }
    let refused = 0;
    for (const metadata of batch.metadata) {
      const known = this.#metadata.get(metadata.metric);
      if (known && sameMetadata(known, metadata)) continue;
      if (!known && this.#metadata.size >= this.#maxMetadata) refused++;
      else {
        this.#metadata.set(metadata.metric, metadata);
        this.#translated = undefined;
        this.#changes++;
      }
    }
    return refused;
  }

  metadata(metric?: string): MetricMetadata[] {
    if (metric === undefined) return [...this.#metadata.values()];
    const one = this.#metadata.get(metric);
    return one ? [one] : [];
  }

  /** Those that may be known by another name: the same array until one of them may have changed. */
  translated(): readonly MetricMetadata[] {
    this.#translated ??= [...this.#metadata.values()].filter(
      ({ otelName, metric }) => otelName !== undefined || !/^[a-zA-Z0-9_:]*$/.test(metric),
    );
    return this.#translated;
  }

  /**
   * Writes the file and returns its CRC-32. What is appended meanwhile may or may not be in it. With `isCopy` it is not
   * one to be confirmed.
   */
  async save(path: string, { isCopy = false }: { readonly isCopy?: boolean } = {}): Promise<number> {
    const changes = this.#changes;
    const slice = new TimeSlice();
    const parts: Buffer[] = [];
    let lines = "";
    const add = async (line: unknown) => {
      lines += `${JSON.stringify(line)}\n`;
      if (lines.length > 256 * 1024) {
        parts.push(Buffer.from(lines));
        lines = "";
      }
      if (slice.due) await slice.pause();
    };
    for (const metadata of this.metadata()) await add({ metadata });
    for (const { labels, exemplars } of this.exemplars.all()) {
      for (let from = 0; from < exemplars.length; from += LINE_EXEMPLARS) {
        await add({ series: encodeExemplars({ labels, exemplars: exemplars.slice(from, from + LINE_EXEMPLARS) }) });
      }
    }
    parts.push(Buffer.from(lines));
    const bytes = await promisify(zstdCompress)(Buffer.concat(parts));
    await writeFileAtomic(path, bytes);
    if (!isCopy) this.#writtenChanges = changes;
    return crc32(bytes);
  }

  /** Call it when the file of the last `save` has become the one that counts. */
  confirmSaved(): void {
    this.#savedChanges = this.#writtenChanges;
  }

  /** Reads a file that `save` wrote. Throws {@link CorruptionError} naming it. */
  async load(path: string, crc: number): Promise<void> {
    const bytes = await readFile(path);
    if (crc32(bytes) !== crc) throw new CorruptionError(`${path} does not match its checksum`);
    const text = (await promisify(zstdDecompress)(bytes, { maxOutputLength: MAX_FILE_BYTES })).toString("utf8");
    try {
      for (const line of text.split("\n")) if (line !== "") this.#addLine(JSON.parse(line));
    } catch (cause) {
      throw new CorruptionError(`${path} can't be understood: ${(cause as Error).message}`, { cause });
    }
  }

  #addLine({ metadata, series }: { metadata?: MetricMetadata; series?: EncodedExemplars }): void {
    if (metadata) this.#metadata.set(metadata.metric, metadata);
    for (const [timeMs, value, labels] of series?.exemplars ?? []) {
      this.exemplars.append((series as EncodedExemplars).labels, { timeMs, value: Number(value), labels });
    }
  }
}

type EncodedExemplars = {
  readonly labels: SeriesExemplars["labels"];
  /** The value as text, because JSON has no infinities. */
  readonly exemplars: readonly (readonly [timeMs: number, value: string, labels: SeriesExemplars["labels"]])[];
};

function encodeExemplars({ labels, exemplars }: SeriesExemplars): EncodedExemplars {
  return { labels, exemplars: exemplars.map(({ timeMs, value, labels }) => [timeMs, String(value), labels] as const) };
}

function sameMetadata(a: MetricMetadata, b: MetricMetadata): boolean {
  return a.type === b.type && a.unit === b.unit && a.help === b.help && a.otelName === b.otelName;
}

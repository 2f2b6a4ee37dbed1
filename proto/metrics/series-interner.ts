import type { Label, Labels } from "@sightline/model/labels.ts";
import { NO_INFO, type SeriesInfo, SeriesKey } from "@sightline/model/metric-batch.ts";
import { KeyTable } from "./key-table.ts";

/**
 * The series of one tenant: hands out the same {@link SeriesKey} for the same labels and info, whichever wire format
 * they came in. Decoders find series by the bytes on the wire ({@link KeyTable}s of their own) and come here only for
 * what they have not seen before.
 *
 * Grows until its owner drops it; batches that hold its `series` stay valid.
 */
export class SeriesInterner {
  /** Shared by all batches: see `MetricBatch.series`. */
  readonly series: SeriesKey[] = [];
  /**
   * References by the labels in the encoding of remote write 1.0 (sorted, as senders do), prefix 0; with other info than
   * none, that follows. The remote write 1.0 decoder looks up here directly.
   */
  readonly byLabelBytes = new KeyTable();
  readonly #maxSeries: number;
  readonly #labels = new Map<string, Map<string, Label>>();
  #labelCount = 0;
  readonly #key = new KeyWriter();

  /** Twice `maxSeries` are taken, so that a request is seldom cut when its owner drops it beyond `maxSeries`. */
  constructor(maxSeries: number) {
    this.#maxSeries = maxSeries;
  }

  /** How much it holds, in series of the usual size: long keys and respellings count like series. */
  get load(): number {
    return Math.max(this.series.length, this.byLabelBytes.byteSize / USUAL_BYTES, this.#labelCount / USUAL_LABELS);
  }

  /**
   * The reference of a series, made when it is new; -1 when there is no room, until the next batch. `labels` are valid
   * and sorted, and belong to the interner from here on.
   */
  intern(labels: Labels, info: SeriesInfo): number {
    const key = this.#key.write(labels, info);
    const known = this.byLabelBytes.find(key, 0, this.#key.length, 0);
    if (known >= 0) return known;
    if (this.load > 2 * this.#maxSeries) return -1;
    const ref = this.series.length;
    this.series.push(new SeriesKey(labels, info));
    this.byLabelBytes.add(key, 0, this.#key.length, 0, ref);
    return ref;
  }

  /** The one object for a label: most labels are those of many series. */
  label(name: string, value: string): Label {
    let byValue = this.#labels.get(name);
    if (!byValue) {
      byValue = new Map();
      this.#labels.set(name, byValue);
    }
    let label = byValue.get(value);
    if (!label) {
      label = [name, value];
      byValue.set(value, label);
      this.#labelCount++;
    }
    return label;
  }
}

const USUAL_BYTES = 1024;
/** Labels that a series has for itself take as much memory as the rest of it. */
const USUAL_LABELS = 4;

/** Spells labels as remote write 1.0 does, so that a series has one key whatever it came as. */
class KeyWriter {
  length = 0;
  #bytes = Buffer.alloc(4096);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);

  write(labels: Labels, info: SeriesInfo): DataView {
    this.length = 0;
    for (const [name, value] of labels) this.#label(name, value);
    if (info !== NO_INFO) {
      // Field 0 does not exist in protobuf: no labels on the wire look like this.
      const text = `\0${info.type}\0${info.temporality}\0${info.unit}\0${info.otelName}`;
      const bytes = byteLength(text);
      this.#reserve(bytes);
      this.#write(text, bytes);
    }
    return this.#view;
  }

  #label(name: string, value: string): void {
    const nameBytes = byteLength(name);
    const valueBytes = byteLength(value);
    const length = 2 + varintLength(nameBytes) + nameBytes + varintLength(valueBytes) + valueBytes;
    this.#reserve(length + 6);
    this.#bytes[this.length++] = 0x0a;
    this.#varint(length);
    this.#bytes[this.length++] = 0x0a;
    this.#varint(nameBytes);
    this.#write(name, nameBytes);
    this.#bytes[this.length++] = 0x12;
    this.#varint(valueBytes);
    this.#write(value, valueBytes);
  }

  #write(text: string, bytes: number): void {
    const start = this.length;
    this.length += bytes;
    if (bytes !== text.length) {
      this.#bytes.write(text, start);
      return;
    }
    // A call into the engine costs more than a short text.
    for (let i = 0; i < bytes; i++) this.#bytes[start + i] = text.charCodeAt(i);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.length++] = rest;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.length + count));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer, larger.byteOffset, larger.length);
  }
}

function byteLength(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return Buffer.byteLength(text);
  return text.length;
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
  return length;
}

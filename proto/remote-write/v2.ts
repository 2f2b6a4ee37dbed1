import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";
import { METRIC_NAME } from "@sightline/model/labels.ts";
import { type MetricBatch, type MetricMetadata, NO_INFO, type SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import { KeyTable } from "../metrics/key-table.ts";
import { MetadataOnce } from "../metrics/metadata-once.ts";
import { MetricBatchBuilder } from "../metrics/metric-batch-builder.ts";
import { familyOf, metricTypeOf } from "../metrics/metric-type.ts";
import { Fault, invalid, RejectionLog, tooManySeries } from "../metrics/rejection-log.ts";
import { isSampleTime, timeFault } from "../metrics/sample-time.ts";
import type { SeriesInterner } from "../metrics/series-interner.ts";
import { checkItemCount } from "../otlp/object-budget.ts";
import { BYTES, FIXED64, VARINT, WireReader, type WireReaderOptions } from "../wire/reader.ts";
import { appendHistogram, appendSample } from "./append-rows.ts";
import { exemplarLabels, INVALID_UTF8, MAX_LABELS, seriesLabels, TOO_MANY_LABELS } from "./label-set.ts";
import { SymbolTable } from "./symbol-table.ts";
import { appendUsualSamples, SAMPLES } from "./usual-samples.ts";

/** Fields of `Request`. */
const SYMBOLS = (4 << 3) | BYTES;
const TIMESERIES = (5 << 3) | BYTES;
/** Of version 1.0's `WriteRequest`: taken as unknown, its samples would be lost without a word. */
const TIMESERIES_1 = (1 << 3) | BYTES;
/** Fields of `TimeSeries`. */
const LABEL_REFS_PACKED = (1 << 3) | BYTES;
const LABEL_REFS = (1 << 3) | VARINT;
const HISTOGRAMS = (3 << 3) | BYTES;
const EXEMPLARS = (4 << 3) | BYTES;
const METADATA = (5 << 3) | BYTES;
/** Of the drafts of the specification, before samples had start times of their own. */
const CREATED_TIMESTAMP = (6 << 3) | VARINT;

/** Places in a series' key: its type, the symbols of its unit and help, then the symbols of its labels. */
const KEY_TYPE = 0;
const KEY_UNIT = 1;
const KEY_HELP = 2;
const KEY_LABELS = 3;
const MAX_REFS = 2 * MAX_LABELS;

/**
 * Decodes `io.prometheus.write.v2.Request` for one tenant (remote write specification 2.0).
 *
 * Each request numbers its symbols in its own way. They are renumbered once per request, by their bytes, to numbers that
 * stay the same ({@link SymbolTable}); a series is then found by the numbers of its labels and metadata, and no string
 * of a known series is decoded.
 */
export class RemoteWrite2Decoder {
  readonly #interner: SeriesInterner;
  readonly #readerOptions: WireReaderOptions;
  readonly #symbols = new SymbolTable();
  /** Entry numbers by key. */
  readonly #entries = new KeyTable();
  readonly #refs: number[] = [];
  readonly #metadataOf: number[] = [];
  readonly #metadata = new MetadataOnce();
  #usualLength = 256;
  #key = new Int32Array(64);
  #keyView = new DataView(this.#key.buffer);
  #keyLength = 0;
  /** What the first look at a series found. */
  #samples = 0;
  #histograms = 0;
  #exemplars = 0;
  #createdMs = 0;
  /** The range of its samples, when they come in one run. */
  #samplesStart = 0;
  #samplesEnd = 0;
  #onlyOneRun = true;

  constructor(interner: SeriesInterner, readerOptions: WireReaderOptions = {}) {
    this.#interner = interner;
    this.#readerOptions = readerOptions;
  }

  /** Throws `InvalidInputError` for malformed bytes. Refused series and samples are counted in `rejected`. */
  decode(bytes: Uint8Array): { batch: MetricBatch; rejected: Rejection[] } {
    const reader = new WireReader(bytes, "io.prometheus.write.v2.Request", this.#readerOptions);
    const builder = new MetricBatchBuilder(this.#usualLength);
    const rejections = new RejectionLog();
    this.#readSymbols(reader);
    this.#metadata.startBatch();
    reader.reset(bytes);
    let series = 0;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === TIMESERIES) {
        checkItemCount(++series, "timeseries");
        const outer = reader.enter("timeseries");
        this.#append(reader, builder, rejections);
        reader.leave(outer);
      } else if (tag === TIMESERIES_1) {
        throw new InvalidInputError(
          "the body is a remote write 1.0 request; send it with the content type application/x-protobuf",
        );
      } else reader.skip(tag);
    }
    this.#usualLength = Math.max(256, builder.length);
    return { batch: builder.build(this.#interner.series), rejected: rejections.finish() };
  }

  /** Held beside the interner, in series of the usual size. */
  get load(): number {
    return Math.max(this.#refs.length, (this.#symbols.byteSize + this.#entries.byteSize) / 1024);
  }

  #readSymbols(reader: WireReader): void {
    this.#symbols.startRequest();
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === SYMBOLS) {
        const length = reader.skipBytes();
        this.#symbols.add(reader.view, reader.pos - length, reader.pos);
        checkItemCount(this.#symbols.size, "symbols");
      } else reader.skip(tag);
    }
  }

  #append(reader: WireReader, builder: MetricBatchBuilder, rejections: RejectionLog): void {
    const start = reader.pos;
    const fault = this.#survey(reader);
    const entry = fault ?? this.#entryOf();
    if (entry instanceof Fault) {
      rejections.add(entry, this.#samples + this.#histograms + this.#exemplars);
      return;
    }
    const ref = this.#refs[entry] as number;
    this.#metadata.add(builder.metadata, this.#metadataOf[entry] as number);
    if (this.#onlyOneRun && this.#samples > 0) {
      const { bytes, view } = reader;
      if (appendUsualSamples(builder, ref, bytes, view, this.#samplesStart, this.#samplesEnd)) return;
    }
    reader.pos = start;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === SAMPLES) appendSample(reader, ref, builder, rejections, this.#createdMs);
      else if (tag === HISTOGRAMS) appendHistogram(reader, ref, builder, rejections, this.#createdMs);
      else if (tag === EXEMPLARS) this.#readExemplar(reader, ref, builder, rejections);
      else reader.skip(tag);
    }
  }

  /** Reads everything of a series that names it into the key, and looks what else there is. */
  #survey(reader: WireReader): Fault | undefined {
    this.#keyLength = KEY_LABELS;
    this.#key[KEY_TYPE] = 0;
    this.#key[KEY_UNIT] = -1;
    this.#key[KEY_HELP] = -1;
    this.#samples = 0;
    this.#histograms = 0;
    this.#exemplars = 0;
    this.#createdMs = 0;
    this.#onlyOneRun = true;
    let fault: Fault | undefined;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      const start = reader.pos - 1;
      switch (tag) {
        case LABEL_REFS_PACKED:
          fault = this.#readPackedRefs(reader) ?? fault;
          break;
        case LABEL_REFS:
          fault = this.#addRef(reader.uint32()) ?? fault;
          break;
        case SAMPLES:
          if (this.#samples++ === 0) this.#samplesStart = start;
          else if (start !== this.#samplesEnd) this.#onlyOneRun = false;
          reader.skipBytes();
          this.#samplesEnd = reader.pos;
          break;
        case METADATA:
          fault = this.#readMetadata(reader) ?? fault;
          break;
        default:
          this.#surveyUnusual(reader, tag);
      }
    }
    if (this.#samples > 0 && this.#histograms > 0) {
      fault ??= invalid("mixed", "a series with both samples and histograms: send them as two series");
    }
    if ((this.#keyLength - KEY_LABELS) % 2 !== 0) {
      fault ??= invalid("odd-refs", "labels_refs has an odd number of elements: each label takes two");
    }
    return fault;
  }

  #surveyUnusual(reader: WireReader, tag: number): void {
    if (tag === CREATED_TIMESTAMP) {
      this.#createdMs = reader.int64AsNumber();
    } else {
      if (tag === HISTOGRAMS) this.#histograms++;
      else if (tag === EXEMPLARS) this.#exemplars++;
      reader.skip(tag);
    }
    this.#onlyOneRun = false;
  }

  /** Scans by hand what is most of a request: references of one or two bytes. */
  #readPackedRefs(reader: WireReader): Fault | undefined {
    const outer = reader.enter("labels_refs");
    const { bytes, end } = reader;
    const { ofRequest, size } = this.#symbols;
    // A reference takes a byte at least and five at most.
    if (end - reader.pos > MAX_REFS * 5) {
      reader.pos = end;
      reader.leave(outer);
      return TOO_MANY_LABELS;
    }
    this.#reserveKey(end - reader.pos);
    const key = this.#key;
    let length = this.#keyLength;
    let fault: Fault | undefined;
    while (reader.pos < end) {
      const first = bytes[reader.pos] as number;
      // Zero where there is no second byte: it is then not looked at, or the reader fails.
      const second = bytes[reader.pos + 1] ?? 0;
      let symbol = first;
      if (first < 0x80) reader.pos++;
      else if (second < 0x80 && reader.pos + 2 <= end) {
        symbol = (first & 0x7f) | (second << 7);
        reader.pos += 2;
      } else symbol = reader.uint32();
      if (symbol < size) key[length++] = ofRequest[symbol] as number;
      else fault = outOfRange("labels_refs", symbol, size);
    }
    this.#keyLength = length;
    reader.leave(outer);
    return length > KEY_LABELS + MAX_REFS ? this.#tooManyLabels() : fault;
  }

  #addRef(symbol: number): Fault | undefined {
    if (symbol >= this.#symbols.size) return outOfRange("labels_refs", symbol, this.#symbols.size);
    this.#reserveKey(1);
    this.#key[this.#keyLength++] = this.#symbols.numberOf(symbol);
    return this.#keyLength > KEY_LABELS + MAX_REFS ? this.#tooManyLabels() : undefined;
  }

  /** Forgets those read so far, so that the key does not grow with what is still to come. */
  #tooManyLabels(): Fault {
    this.#keyLength = KEY_LABELS;
    return TOO_MANY_LABELS;
  }

  #reserveKey(count: number): void {
    if (this.#keyLength + count <= this.#key.length) return;
    const larger = new Int32Array(2 * (this.#keyLength + count));
    larger.set(this.#key);
    this.#key = larger;
    this.#keyView = new DataView(larger.buffer);
  }

  #readMetadata(reader: WireReader): Fault | undefined {
    const outer = reader.enter("metadata");
    const { size } = this.#symbols;
    let fault: Fault | undefined;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === ((1 << 3) | VARINT)) this.#key[KEY_TYPE] = reader.int32();
      else if (tag === ((3 << 3) | VARINT) || tag === ((4 << 3) | VARINT)) {
        const place = tag >>> 3 === 3 ? KEY_HELP : KEY_UNIT;
        const symbol = reader.uint32();
        if (symbol < size) this.#key[place] = this.#symbols.numberOf(symbol);
        else fault = outOfRange(place === KEY_HELP ? "help_ref" : "unit_ref", symbol, size);
      } else reader.skip(tag);
    }
    reader.leave(outer);
    return fault;
  }

  #entryOf(): number | Fault {
    const end = this.#keyLength * 4;
    const known = this.#entries.find(this.#keyView, 0, end, 0);
    return known >= 0 ? known : this.#newEntry(end);
  }

  #newEntry(keyEnd: number): number | Fault {
    const pairs: Label[] = [];
    for (let i = KEY_LABELS; i < this.#keyLength; i += 2) {
      const name = this.#symbols.text(this.#key[i] as number);
      const value = this.#symbols.text(this.#key[i + 1] as number);
      if (name === undefined || value === undefined) return INVALID_UTF8;
      pairs.push([name, value]);
    }
    const unit = this.#optionalText(KEY_UNIT);
    const help = this.#optionalText(KEY_HELP);
    if (unit === undefined || help === undefined) return INVALID_UTF8;
    const labels = seriesLabels(pairs, this.#interner);
    if (labels instanceof Fault) return labels;
    const type = metricTypeOf(this.#key[KEY_TYPE] as number);
    const info: SeriesInfo =
      type === "unknown" && unit === "" ? NO_INFO : { type, unit, temporality: "", otelName: "" };
    const ref = this.#interner.intern(labels, info);
    if (ref < 0) return tooManySeries();
    const entry = this.#refs.length;
    this.#refs.push(ref);
    const metric = familyOf(labels.find(([name]) => name === METRIC_NAME)?.[1] ?? "", type);
    this.#metadataOf.push(this.#metadata.keep(metadataOf(metric, info, help)));
    this.#entries.add(this.#keyView, 0, keyEnd, 0, entry);
    return entry;
  }

  #optionalText(place: number): string | undefined {
    const symbol = this.#key[place] as number;
    return symbol < 0 ? "" : this.#symbols.text(symbol);
  }

  #readExemplar(reader: WireReader, ref: number, builder: MetricBatchBuilder, rejections: RejectionLog): void {
    const outer = reader.enter("exemplars");
    this.#keyLength = KEY_LABELS;
    let value = 0;
    let timeMs = 0;
    let fault: Fault | undefined;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === LABEL_REFS_PACKED) fault = this.#readPackedRefs(reader) ?? fault;
      else if (tag === LABEL_REFS) fault = this.#addRef(reader.uint32()) ?? fault;
      else if (tag === ((2 << 3) | FIXED64)) value = reader.double();
      else if (tag === ((3 << 3) | VARINT)) timeMs = reader.int64AsNumber();
      else reader.skip(tag);
    }
    reader.leave(outer);
    if (!isSampleTime(timeMs)) fault ??= timeFault(timeMs);
    const pairs: Label[] = [];
    for (let i = KEY_LABELS; i + 1 < this.#keyLength; i += 2) {
      const name = this.#symbols.text(this.#key[i] as number);
      const text = this.#symbols.text(this.#key[i + 1] as number);
      if (name === undefined || text === undefined) fault ??= INVALID_UTF8;
      else pairs.push([name, text]);
    }
    const labels = fault ?? exemplarLabels(pairs);
    if (labels instanceof Fault) rejections.add(labels, 1);
    else builder.exemplars.push({ ref, timeMs, value, labels });
  }
}

function metadataOf(metric: string, info: SeriesInfo, help: string): MetricMetadata | undefined {
  if (info === NO_INFO && help === "") return undefined;
  return { metric, type: info.type, unit: info.unit, help };
}

function outOfRange(field: string, symbol: number, size: number): Fault {
  return invalid("symbol", `${field} points at symbol ${symbol}, but the request has ${size}`);
}

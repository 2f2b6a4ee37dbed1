import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Label } from "@sightline/model/labels.ts";
import { type MetricBatch, type MetricMetadata, NO_INFO } from "@sightline/model/metric-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import { MetricBatchBuilder } from "../metrics/metric-batch-builder.ts";
import { metricTypeOf } from "../metrics/metric-type.ts";
import { Fault, RejectionLog, tooManySeries } from "../metrics/rejection-log.ts";
import { isSampleTime, timeFault } from "../metrics/sample-time.ts";
import type { SeriesInterner } from "../metrics/series-interner.ts";
import { checkItemCount } from "../otlp/object-budget.ts";
import { BYTES, FIXED64, VARINT, WireReader, type WireReaderOptions } from "../wire/reader.ts";
import { appendHistogram, appendSample } from "./append-rows.ts";
import { exemplarLabels, INVALID_UTF8, MAX_LABELS, seriesLabels, TOO_MANY_LABELS } from "./label-set.ts";
import { appendUsualSamples, SAMPLES } from "./usual-samples.ts";

/** Fields of version 2.0's `Request`, which are none of ours: taken as unknown, its samples would be lost without a word. */
const SYMBOLS_2 = (4 << 3) | BYTES;
const TIMESERIES_2 = (5 << 3) | BYTES;
const CONTENT_TYPE_2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
/** Fields of `TimeSeries`. */
const LABELS = (1 << 3) | BYTES;
const EXEMPLARS = (3 << 3) | BYTES;
const HISTOGRAMS = (4 << 3) | BYTES;

/**
 * Decodes `prometheus.WriteRequest` (prompb/remote.proto) for one tenant.
 *
 * The usual series, known and with nothing but samples, is scanned by hand: its labels are found by their bytes and
 * never decoded. All others take the general way, which reads the same bytes field by field.
 */
export class RemoteWrite1Decoder {
  readonly #interner: SeriesInterner;
  readonly #readerOptions: WireReaderOptions;
  #usualLength = 256;

  constructor(interner: SeriesInterner, readerOptions: WireReaderOptions = {}) {
    this.#interner = interner;
    this.#readerOptions = readerOptions;
  }

  /** Throws `InvalidInputError` for malformed bytes. Refused series and samples are counted in `rejected`. */
  decode(bytes: Uint8Array): { batch: MetricBatch; rejected: Rejection[] } {
    const reader = new WireReader(bytes, "WriteRequest", this.#readerOptions);
    const builder = new MetricBatchBuilder(this.#usualLength);
    const rejections = new RejectionLog();
    let series = 0;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === ((1 << 3) | BYTES)) {
        checkItemCount(++series, "timeseries");
        const outer = reader.enter("timeseries");
        if (!this.#appendUsual(reader, builder)) this.#append(reader, builder, rejections);
        reader.leave(outer);
      } else if (tag === ((3 << 3) | BYTES)) {
        const outer = reader.enter("metadata");
        builder.metadata.push(readMetadata(reader));
        reader.leave(outer);
        checkItemCount(builder.metadata.length, "metadata");
      } else if (tag === SYMBOLS_2 || tag === TIMESERIES_2) {
        throw new InvalidInputError(
          `the body is a remote write 2.0 request; send it with the content type ${CONTENT_TYPE_2}`,
        );
      } else reader.skip(tag);
    }
    this.#usualLength = Math.max(256, builder.length);
    return { batch: builder.build(this.#interner.series), rejected: rejections.finish() };
  }

  /** False, and nothing appended, when the series is new, faulty or not spelled as usual. */
  #appendUsual(reader: WireReader, builder: MetricBatchBuilder): boolean {
    const { bytes, view, pos: start, end } = reader;
    const table = this.#interner.byLabelBytes;
    const expected = table.findNext(view, start, end, 0);
    if (expected >= 0 && (expected === end || bytes[expected] !== LABELS)) {
      return appendUsualSamples(builder, table.value, bytes, view, expected, end);
    }
    const labelsEnd = endOfLabels(bytes, start, end);
    if (labelsEnd < 0) return false;
    const ref = table.find(view, start, labelsEnd, 0);
    return ref >= 0 && appendUsualSamples(builder, ref, bytes, view, labelsEnd, end);
  }

  #append(reader: WireReader, builder: MetricBatchBuilder, rejections: RejectionLog): void {
    const start = reader.pos;
    const pairs: Label[] = [];
    let rows = 0;
    let fault: Fault | undefined;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === LABELS) fault = readLabel(reader, pairs) ?? fault;
      else {
        if (tag === SAMPLES || tag === EXEMPLARS || tag === HISTOGRAMS) rows++;
        reader.skip(tag);
      }
    }
    const ref = fault ?? this.#refOf(pairs);
    if (ref instanceof Fault) {
      rejections.add(ref, rows);
      return;
    }
    reader.pos = start;
    this.#remember(reader, ref);
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === SAMPLES) appendSample(reader, ref, builder, rejections);
      else if (tag === EXEMPLARS) appendExemplar(reader, ref, builder, rejections);
      else if (tag === HISTOGRAMS) appendHistogram(reader, ref, builder, rejections);
      else reader.skip(tag);
    }
  }

  #refOf(pairs: readonly Label[]): number | Fault {
    const labels = seriesLabels(pairs, this.#interner);
    if (labels instanceof Fault) return labels;
    const ref = this.#interner.intern(labels, NO_INFO);
    return ref >= 0 ? ref : tooManySeries();
  }

  /** Makes the series known by these very bytes, which may spell its labels in another way than the interner does. */
  #remember(reader: WireReader, ref: number): void {
    const { bytes, view, pos: start } = reader;
    while (reader.pos < reader.end && bytes[reader.pos] === LABELS) {
      reader.nextTag();
      reader.skipBytes();
    }
    const end = reader.pos;
    reader.pos = start;
    const table = this.#interner.byLabelBytes;
    if (this.#labelsOnlyUntil(reader, end) && table.find(view, start, end, 0) < 0) table.add(view, start, end, 0, ref);
  }

  /** Whether no further labels come behind `end`: otherwise the bytes before it do not name the series. */
  #labelsOnlyUntil(reader: WireReader, end: number): boolean {
    const start = reader.pos;
    reader.pos = end;
    let found = false;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      found ||= tag === LABELS;
      reader.skip(tag);
    }
    reader.pos = start;
    return !found;
  }
}

/** Where the labels end that `[start, end)` begins with, -1 when there are none or they are longer than usual. */
function endOfLabels(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end && bytes[pos] === LABELS) {
    const length = bytes[pos + 1] as number;
    if (length < 0x80) pos += 2 + length;
    else {
      const high = bytes[pos + 2] as number;
      // Also where the bytes end: no comparison with undefined holds.
      if (!(high < 0x80)) return -1;
      pos += 3 + (length & 0x7f) + (high << 7);
    }
  }
  return pos > end || pos === start ? -1 : pos;
}

/** Adds the label to `pairs`, or says what is wrong with it. */
function readLabel(reader: WireReader, pairs: Label[]): Fault | undefined {
  if (pairs.length === MAX_LABELS) {
    reader.skip(LABELS);
    return TOO_MANY_LABELS;
  }
  const outer = reader.enter("labels");
  let name: string | undefined = "";
  let value: string | undefined = "";
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === ((1 << 3) | BYTES)) name = reader.stringOrUndefined();
    else if (tag === ((2 << 3) | BYTES)) value = reader.stringOrUndefined();
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (name === undefined || value === undefined) return INVALID_UTF8;
  pairs.push([name, value]);
  return undefined;
}

function appendExemplar(reader: WireReader, ref: number, builder: MetricBatchBuilder, rejections: RejectionLog): void {
  const outer = reader.enter("exemplars");
  const pairs: Label[] = [];
  let value = 0;
  let timeMs = 0;
  let fault: Fault | undefined;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === LABELS) fault = readLabel(reader, pairs) ?? fault;
    else if (tag === ((2 << 3) | FIXED64)) value = reader.double();
    else if (tag === ((3 << 3) | VARINT)) timeMs = reader.int64AsNumber();
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (!isSampleTime(timeMs)) fault ??= timeFault(timeMs);
  const labels = fault ?? exemplarLabels(pairs);
  if (labels instanceof Fault) rejections.add(labels, 1);
  else builder.exemplars.push({ ref, timeMs, value, labels });
}

function readMetadata(reader: WireReader): MetricMetadata {
  const metadata = { metric: "", type: metricTypeOf(0), unit: "", help: "" };
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === ((1 << 3) | VARINT)) metadata.type = metricTypeOf(reader.uint32());
    else if (tag === ((2 << 3) | BYTES)) metadata.metric = reader.stringLossy();
    else if (tag === ((4 << 3) | BYTES)) metadata.help = reader.stringLossy();
    else if (tag === ((5 << 3) | BYTES)) metadata.unit = reader.stringLossy();
    else reader.skip(tag);
  }
  return metadata;
}

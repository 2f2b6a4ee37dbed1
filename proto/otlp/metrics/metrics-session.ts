import type { Label } from "@sightline/model/labels.ts";
import { KeyTable } from "../../metrics/key-table.ts";
import { MetricBatchBuilder } from "../../metrics/metric-batch-builder.ts";
import { Fault, RejectionLog, tooManySeries } from "../../metrics/rejection-log.ts";
import type { SeriesInterner } from "../../metrics/series-interner.ts";
import { BYTES, WireReader } from "../../wire/reader.ts";
import { AttributeReader } from "./attribute-reader.ts";
import { ByteRange } from "./byte-range.ts";
import { DistinctTimes } from "./distinct-times.ts";
import { type ExemplarFields, readExemplar } from "./exemplar.ts";
import { attributeLabels, type LabelMap, toLabels } from "./label-builder.ts";
import type { MetricContext } from "./metric-context.ts";
import { millisOfNanos, nanosBeyond } from "./nano-time.ts";
import { escapes, type OtlpMetricsOptions } from "./translation.ts";

const ATTRIBUTES_IGNORED = ["__name__"];

const NO_REQUEST = new WireReader(new Uint8Array(0), "ExportMetricsServiceRequest");
const NO_BATCH = new MetricBatchBuilder(0);

/**
 * What the readers of the point kinds share: the request being read, the metric it is at, the fields that all kinds of
 * points have, and the tables from attribute bytes to series, which live as long as the interner.
 */
export class MetricsSession {
  readonly interner: SeriesInterner;
  readonly options: OtlpMetricsOptions;
  /** Keys: the attributes of a point, under the number of whatever else its series depend on. */
  readonly points = new KeyTable();
  readonly attributeReader: AttributeReader;
  readonly maxDepth: number;
  reader = NO_REQUEST;
  builder = NO_BATCH;
  rejections = new RejectionLog();
  metric!: MetricContext;
  /** This and the following are of the current point. */
  readonly attributes: ByteRange;
  timeMs = 0;
  startMs = 0;
  /** The point says that its series ended, instead of a value (`NoRecordedValue`). */
  stale = false;
  /** Whether the point has exemplars at all. */
  hasExemplars = false;
  /** Times of the points since the resource began; 0 when there was none. */
  earliestMs = 0;
  latestMs = 0;
  /** Nanoseconds of the point's time beyond `timeMs`. */
  #restNs = 0;
  readonly #times = new DistinctTimes();
  #lastId = 0;
  #attributeField = 0;
  readonly #ranges: ByteRange[] = [];

  constructor(interner: SeriesInterner, options: OtlpMetricsOptions, maxDepth: number) {
    this.interner = interner;
    this.options = options;
    this.maxDepth = maxDepth;
    this.attributeReader = new AttributeReader(maxDepth);
    this.attributes = this.newRange();
  }

  startRequest(bytes: Uint8Array, capacity: number): void {
    this.reader = new WireReader(bytes, "ExportMetricsServiceRequest", { maxDepth: this.maxDepth });
    this.builder = new MetricBatchBuilder(capacity);
    this.rejections = new RejectionLog();
    this.#times.startRequest();
  }

  /** Lets go of the request's memory. */
  endRequest(): void {
    this.reader = NO_REQUEST;
    this.builder = NO_BATCH;
    this.attributeReader.release();
    for (const range of this.#ranges) range.clear(NO_REQUEST);
  }

  /** A range that lets go of the request's memory with the others. */
  newRange(): ByteRange {
    const range = new ByteRange();
    this.#ranges.push(range);
    return range;
  }

  /** A number for a new context; as prefixes of {@link points} no two are the same. */
  newId(): number {
    return ++this.#lastId;
  }

  startPoint(): void {
    this.attributes.clear(this.reader);
    this.timeMs = 0;
    this.startMs = 0;
    this.stale = false;
    this.hasExemplars = false;
  }

  /** Reads the attribute field whose tag was just read, and those that follow it. */
  readAttributes(tag: number): void {
    const { reader } = this;
    const { bytes, end } = reader;
    const start = reader.pos - 1;
    reader.skipBytes();
    let pos = reader.pos;
    while (pos + 1 < end && bytes[pos] === tag && (bytes[pos + 1] as number) < 0x80) {
      const next = pos + 2 + (bytes[pos + 1] as number);
      if (next > end) break;
      pos = next;
    }
    reader.pos = pos;
    this.attributes.add(start, pos);
    this.#attributeField = tag >>> 3;
  }

  refuse(fault: Fault): void {
    this.rejections.add(fault, 1);
  }

  /** Reads the time of the point. */
  readTime(): void {
    const { reader } = this;
    reader.readFixed64();
    this.timeMs = millisOfNanos(reader.low, reader.high);
    this.#restNs = nanosBeyond(this.timeMs, reader.low);
  }

  /**
   * Notes the time of a point that is being taken, `ref` standing for its series: for `target_info`, and so that points
   * of one series within the same millisecond get a millisecond each.
   */
  noteTime(ref: number): void {
    const timeMs = this.#times.distinct(ref, this.timeMs, this.#restNs);
    this.timeMs = timeMs;
    if (this.earliestMs === 0 || timeMs < this.earliestMs) this.earliestMs = timeMs;
    if (timeMs > this.latestMs) this.latestMs = timeMs;
  }

  /** The number kept for the point's attributes under `id`, -1 when they are new. */
  findPoint(id: number): number {
    const { view, start, end } = this.attributes;
    return this.points.find(view, start, end, id);
  }

  addPoint(id: number, value: number): void {
    const { view, start, end } = this.attributes;
    this.points.add(view, start, end, id, value);
  }

  /** All labels of the point's series but the name. */
  baseLabels(): LabelMap | Fault {
    const { bytes, start, end } = this.attributes;
    const attributes = this.attributeReader.read(bytes, start, end, this.#attributeField);
    if (attributes instanceof Fault) return attributes;
    const labels = attributeLabels(attributes, escapes(this.options.translationStrategy), ATTRIBUTES_IGNORED);
    if (labels instanceof Fault) return labels;
    const { scope } = this.metric;
    for (const [name, value] of scope.resource.promoted) if (!labels.get(name)) labels.set(name, value);
    for (const [name, value] of scope.resource.identity) labels.set(name, value);
    for (const [name, value] of scope.labels) labels.set(name, value);
    return labels;
  }

  /** The reference of a series of the metric, `suffix` behind its name. */
  intern(base: LabelMap, suffix: string, extra?: Label): number | Fault {
    const labels = toLabels(base, this.metric.name + suffix, this.interner, extra);
    const ref = this.interner.intern(labels, this.metric.info);
    return ref >= 0 ? ref : tooManySeries();
  }

  /** The reference of the one series of the point. */
  seriesOfPoint(): number | Fault {
    const { id } = this.metric;
    const known = this.findPoint(id);
    if (known >= 0) return known;
    const base = this.baseLabels();
    if (base instanceof Fault) return base;
    const ref = this.intern(base, "");
    if (!(ref instanceof Fault)) this.addPoint(id, ref);
    return ref;
  }

  /** Reads the exemplars of the point that starts at `pointStart`, once the series of each is known. */
  readExemplars(pointStart: number, field: number, refOf: (value: number) => number): void {
    const { reader } = this;
    reader.pos = pointStart;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== ((field << 3) | BYTES)) {
        reader.skip(tag);
        continue;
      }
      const exemplar: ExemplarFields | Fault = readExemplar(reader, this.attributeReader);
      if (exemplar instanceof Fault) this.refuse(exemplar);
      else {
        const { value, labels } = exemplar;
        this.builder.exemplars.push({ ref: refOf(value), timeMs: exemplar.timeMs || this.timeMs, value, labels });
      }
    }
  }
}

import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { Rejection } from "@sightline/model/ports.ts";
import type { Fault } from "../metrics/rejection-log.ts";
import type { SeriesInterner } from "../metrics/series-interner.ts";
import { BYTES, DEFAULT_MAX_DEPTH, VARINT } from "../wire/reader.ts";
import { ContextTables } from "./metrics/context-tables.ts";
import { readExponentialPoint } from "./metrics/exponential-point.ts";
import { HistogramPointReader } from "./metrics/histogram-point.ts";
import type { DataKind } from "./metrics/metric-context.ts";
import { MetricsSession } from "./metrics/metrics-session.ts";
import { readNumberPoint } from "./metrics/number-point.ts";
import type { ScopeContext } from "./metrics/scope-context.ts";
import { SeriesGroups } from "./metrics/series-groups.ts";
import { SummaryPointReader } from "./metrics/summary-point.ts";
import { appendTargetInfo, TARGET_INFO_METADATA } from "./metrics/target-info.ts";
import type { OtlpMetricsOptions } from "./metrics/translation.ts";

const RESOURCE_METRICS = (1 << 3) | BYTES;
const SCOPE_METRICS = (2 << 3) | BYTES;
const METRICS = (2 << 3) | BYTES;
/** Fields of `Gauge`, `Sum`, `Histogram`, `ExponentialHistogram` and `Summary`. */
const DATA_POINTS = (1 << 3) | BYTES;
const TEMPORALITY = (2 << 3) | VARINT;
const IS_MONOTONIC = (3 << 3) | VARINT;

/** How the points of one kind of data are read. `number` is below 8 and tells the kinds apart. */
type PointKind = { readonly kind: DataKind; readonly number: number; readonly readPoint: () => Fault | undefined };

/**
 * Decodes `ExportMetricsServiceRequest` for one tenant into series and samples as Prometheus' OTLP endpoint does
 * (OpenTelemetry specification, "Prometheus and OpenMetrics compatibility"; Prometheus' otlptranslator).
 *
 * Whatever names series (a resource, a scope, a metric's header, a point's attributes) is found by its bytes and decoded
 * only when it is new. Unlike in Prometheus, delta temporality is kept as such (`SeriesInfo.temporality`).
 */
export class OtlpMetricsDecoder {
  readonly #interner: SeriesInterner;
  readonly #session: MetricsSession;
  readonly #contexts: ContextTables;
  /** By the tag of their field in `Metric`. */
  readonly #kinds: ReadonlyMap<number, PointKind>;
  readonly #targetInfoMetadata: number;
  #usualLength = 256;

  constructor(interner: SeriesInterner, options: OtlpMetricsOptions, maxDepth = DEFAULT_MAX_DEPTH) {
    this.#interner = interner;
    const session = new MetricsSession(interner, options, maxDepth);
    this.#session = session;
    this.#contexts = new ContextTables(session);
    this.#targetInfoMetadata = this.#contexts.metadata.keep(TARGET_INFO_METADATA);
    const groups = new SeriesGroups();
    const histograms = new HistogramPointReader(session, groups);
    const summaries = new SummaryPointReader(session, groups);
    const readNumber = () => readNumberPoint(session);
    const readExponential = () => readExponentialPoint(session);
    this.#kinds = new Map<number, PointKind>([
      [(5 << 3) | BYTES, { kind: "gauge", number: 0, readPoint: readNumber }],
      [(7 << 3) | BYTES, { kind: "sum", number: 1, readPoint: readNumber }],
      [(9 << 3) | BYTES, { kind: "histogram", number: 2, readPoint: () => histograms.read() }],
      [(10 << 3) | BYTES, { kind: "exponential_histogram", number: 3, readPoint: readExponential }],
      [(11 << 3) | BYTES, { kind: "summary", number: 4, readPoint: () => summaries.read() }],
    ]);
  }

  /** Held beside the interner, in series of the usual size. */
  get load(): number {
    return this.#contexts.load + this.#session.points.byteSize / 1024;
  }

  /**
   * Throws `InvalidInputError` for malformed bytes. `rejected` counts data points, as OTLP's partial success does, not
   * the samples that they would have become.
   */
  decode(bytes: Uint8Array): { batch: MetricBatch; rejected: Rejection[] } {
    const session = this.#session;
    session.startRequest(bytes, this.#usualLength);
    this.#contexts.metadata.startBatch();
    const { reader, builder, rejections } = session;
    const targetInfos = new Set<string>();
    try {
      for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
        if (tag === RESOURCE_METRICS) this.#readResourceMetrics(targetInfos);
        else reader.skip(tag);
      }
    } finally {
      session.endRequest();
    }
    this.#usualLength = Math.max(256, builder.length);
    return { batch: builder.build(this.#interner.series), rejected: rejections.finish() };
  }

  #readResourceMetrics(targetInfos: Set<string>): void {
    const session = this.#session;
    const { reader, builder } = session;
    const outer = reader.enter("resource_metrics");
    const resource = this.#contexts.resource();
    session.earliestMs = 0;
    session.latestMs = 0;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === SCOPE_METRICS) {
        const scopeOuter = reader.enter("scope_metrics");
        this.#readMetrics(this.#contexts.scope(resource));
        reader.leave(scopeOuter);
      } else reader.skip(tag);
    }
    reader.leave(outer);
    if (appendTargetInfo(session, resource, targetInfos)) {
      this.#contexts.metadata.add(builder.metadata, this.#targetInfoMetadata);
    }
  }

  #readMetrics(scope: ScopeContext): void {
    const { reader } = this.#session;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag !== METRICS) {
        reader.skip(tag);
        continue;
      }
      const outer = reader.enter("metrics");
      this.#contexts.readMetricHeader();
      for (let inner = reader.nextTag(); inner !== 0; inner = reader.nextTag()) {
        const kind = this.#kinds.get(inner);
        if (kind) this.#readData(scope, kind);
        else reader.skip(inner);
      }
      reader.leave(outer);
    }
  }

  #readData(scope: ScopeContext, { kind, number, readPoint }: PointKind): void {
    const session = this.#session;
    const { reader } = session;
    const outer = reader.enter(kind);
    const start = reader.pos;
    let points = 0;
    let temporality = 0;
    let monotonic = false;
    // These two come behind the points, which can't be named without them.
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === DATA_POINTS) {
        points++;
        reader.skipBytes();
      } else if (tag === TEMPORALITY) temporality = reader.uint32();
      else if (tag === IS_MONOTONIC) monotonic = reader.bool();
      else reader.skip(tag);
    }
    reader.pos = start;
    const code = number | (Math.min(temporality, 3) << 3) | (monotonic ? 1 << 5 : 0);
    const metric = this.#contexts.metric(scope, kind, temporality, monotonic, code);
    if (metric.fault) session.rejections.add(metric.fault, points);
    else if (points > 0) {
      this.#contexts.metadata.add(session.builder.metadata, metric.metadata);
      session.metric = metric;
      this.#readPoints(readPoint);
    }
    reader.leave(outer);
  }

  #readPoints(readPoint: () => Fault | undefined): void {
    const { reader } = this.#session;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === DATA_POINTS) {
        const outer = reader.enter("data_points");
        const fault = readPoint();
        reader.leave(outer);
        if (fault) this.#session.refuse(fault);
      } else reader.skip(tag);
    }
  }
}

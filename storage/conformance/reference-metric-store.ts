import { isStaleHistogram, type NativeHistogram } from "@sightline/model/histogram.ts";
import { compareLabels, formatLabels, type Labels, labelsKey } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
import type {
  ExemplarSample,
  MetricBatch,
  MetricMetadata,
  SeriesInfo,
  SeriesKey,
} from "@sightline/model/metric-batch.ts";
import type {
  HistogramSlice,
  LabelRequest,
  MetricAdministration,
  MetricStore,
  SeriesExemplars,
  SeriesRequest,
  SeriesSlice,
} from "@sightline/model/metric-store.ts";
import type { AppendResult, Rejection } from "@sightline/model/ports.ts";
import type { TenantId } from "@sightline/model/tenant.ts";

/** Values are kept as their 64 bits, so that nothing about them can get lost. */
type Sample = { readonly timeMs: number; readonly bits: bigint; readonly startMs: number };
type HistogramSample = { readonly timeMs: number; readonly startMs: number; readonly histogram: NativeHistogram };
type Series = {
  readonly labels: Labels;
  info: SeriesInfo;
  readonly samples: Map<number, Sample>;
  readonly histograms: Map<number, HistogramSample>;
  readonly exemplars: Omit<ExemplarSample, "ref">[];
};
type Tenant = { readonly series: Map<string, Series>; readonly metadata: Map<string, MetricMetadata> };
type Deletion = Parameters<MetricAdministration["deleteSamples"]>[0];
type Appended = { readonly tenant: TenantId; readonly batch: MetricBatch; readonly position: number };

/**
 * A metric store that is slow, keeps everything in memory, and is meant to be obviously right: the oracle other
 * stores and the query engine are compared with. What is flushed survives {@link ReferenceMetricStore.crashed}.
 */
export class ReferenceMetricStore implements MetricStore {
  readonly name = "reference metric store";
  readonly administration: MetricAdministration = {
    deleteSamples: async (request) => {
      this.#delete(request);
      this.#log.push(request);
      await this.flush();
    },
    purgeDeleted: async () => {},
    // It has no files.
    snapshot: async () => {},
  };
  readonly #tenants = new Map<TenantId, Tenant>();
  readonly #maxTimeMs: () => number;
  #log: (Appended | Deletion)[] = [];
  #flushed = 0;
  #flushedPosition = Number.NEGATIVE_INFINITY;

  /** `maxTimeMs` is the newest time a sample may have; by default any. */
  constructor(options: { readonly maxTimeMs?: () => number } = {}) {
    this.#maxTimeMs = options.maxTimeMs ?? (() => Number.POSITIVE_INFINITY);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await this.flush();
  }

  async append(tenantId: TenantId, batch: MetricBatch, position: number): Promise<AppendResult> {
    const count = batch.length + batch.histograms.length;
    if (position <= this.#flushedPosition) return { accepted: count, rejected: [] };
    this.#log.push({ tenant: tenantId, batch, position });
    const tenant = this.#tenant(tenantId);
    const rejections = new Rejections();
    this.#appendSamples(tenant, batch, rejections);
    this.#appendHistograms(tenant, batch, rejections);
    appendExemplars(tenant, batch);
    for (const metadata of batch.metadata) tenant.metadata.set(metadata.metric, metadata);
    return { accepted: count - rejections.count, rejected: rejections.list() };
  }

  firstUnflushedPosition(): number | undefined {
    // A deletion flushes: only appends come after what is flushed.
    return (this.#log[this.#flushed] as Appended | undefined)?.position;
  }

  async flush(): Promise<void> {
    this.#flushed = this.#log.length;
    const appended = this.#log.findLast((entry) => "position" in entry);
    this.#flushedPosition = appended?.position ?? this.#flushedPosition;
  }

  /** What a new process would find after this one was killed now. */
  async crashed(): Promise<ReferenceMetricStore> {
    const store = new ReferenceMetricStore({ maxTimeMs: this.#maxTimeMs });
    for (const entry of this.#log.slice(0, this.#flushed)) {
      if ("position" in entry) await store.append(entry.tenant, entry.batch, entry.position);
      else await store.administration.deleteSamples(entry);
    }
    await store.flush();
    return store;
  }

  async *select(request: SeriesRequest, signal: AbortSignal): AsyncIterable<readonly SeriesSlice[]> {
    for (const series of this.#matching(request, signal)) {
      yield [sliceOf(series, request)];
      signal.throwIfAborted();
    }
  }

  async series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]> {
    return this.#matching(request, signal).map(({ labels }) => labels);
  }

  async labelNames(request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    const all = this.#matching({ ...request, limit: 0 }, signal).flatMap(({ labels }) => labels.map(([name]) => name));
    return limited([...new Set(all)].sort(), request.limit);
  }

  async labelValues(name: string, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    const all = this.#matching({ ...request, limit: 0 }, signal).flatMap(({ labels }) =>
      labels.filter(([key]) => key === name).map(([, value]) => value),
    );
    return limited([...new Set(all)].sort(), request.limit);
  }

  async translatedMetrics(tenant: TenantId): Promise<readonly MetricMetadata[]> {
    const all = await this.metadata(tenant);
    return all.filter(({ otelName, metric }) => otelName !== undefined || !/^[a-zA-Z0-9_:]*$/.test(metric));
  }

  async metadata(tenant: TenantId, metric?: string): Promise<readonly MetricMetadata[]> {
    const all = [...this.#tenant(tenant).metadata.values()];
    return metric === undefined ? all : all.filter((entry) => entry.metric === metric);
  }

  async exemplars(request: LabelRequest, signal: AbortSignal): Promise<readonly SeriesExemplars[]> {
    signal.throwIfAborted();
    const matches = compileMatchers(request.matchers);
    const found: SeriesExemplars[] = [];
    for (const { labels, exemplars } of this.#tenant(request.tenant).series.values()) {
      const inRange = exemplars
        .filter(({ timeMs }) => timeMs >= request.range.startMs && timeMs <= request.range.endMs)
        .sort((a, b) => a.timeMs - b.timeMs);
      if (inRange.length > 0 && matches(labels)) found.push({ labels, exemplars: inRange });
    }
    return limited(found, request.limit);
  }

  #delete({ tenant, range, matchers }: Deletion): void {
    const matches = compileMatchers(matchers);
    for (const { labels, samples, histograms } of this.#tenant(tenant).series.values()) {
      if (!matches(labels)) continue;
      for (const kept of [samples, histograms]) {
        for (const timeMs of [...kept.keys()]) {
          if (timeMs >= range.startMs && timeMs <= range.endMs) kept.delete(timeMs);
        }
      }
    }
  }

  #appendSamples(tenant: Tenant, batch: MetricBatch, rejections: Rejections): void {
    const bits = new BigUint64Array(batch.values.buffer, batch.values.byteOffset, batch.length);
    for (let i = 0; i < batch.length; i++) {
      const timeMs = batch.timesMs[i] as number;
      const series = this.#series(tenant, batch.series[batch.refs[i] as number] as SeriesKey, timeMs, rejections);
      if (!series) continue;
      const sample = { timeMs, bits: bits[i] as bigint, startMs: batch.startsMs?.[i] ?? 0 };
      const known = series.samples.get(timeMs);
      if (known ? known.bits !== sample.bits : series.histograms.has(timeMs))
        rejections.duplicate(series.labels, timeMs);
      else if (!known) series.samples.set(timeMs, sample);
    }
  }

  #appendHistograms(tenant: Tenant, batch: MetricBatch, rejections: Rejections): void {
    for (const { ref, timeMs, startMs, histogram } of batch.histograms) {
      const series = this.#series(tenant, batch.series[ref] as SeriesKey, timeMs, rejections);
      if (!series) continue;
      const known = series.histograms.get(timeMs);
      if (known ? !sameHistogram(known.histogram, histogram) : series.samples.has(timeMs)) {
        rejections.duplicate(series.labels, timeMs);
      } else if (!known) series.histograms.set(timeMs, { timeMs, startMs, histogram });
    }
  }

  #matching(request: LabelRequest, signal: AbortSignal): Series[] {
    signal.throwIfAborted();
    const { startMs, endMs } = request.range;
    const matches = compileMatchers(request.matchers);
    const inRange = (timeMs: number) => timeMs >= startMs && timeMs <= endMs;
    const found = [...this.#tenant(request.tenant).series.values()].filter(
      ({ labels, samples, histograms }) =>
        matches(labels) && ([...samples.keys()].some(inRange) || [...histograms.keys()].some(inRange)),
    );
    found.sort((a, b) => compareLabels(a.labels, b.labels));
    return limited(found, request.limit);
  }

  #tenant(id: TenantId): Tenant {
    let tenant = this.#tenants.get(id);
    if (!tenant) {
      tenant = { series: new Map(), metadata: new Map() };
      this.#tenants.set(id, tenant);
    }
    return tenant;
  }

  #series(tenant: Tenant, key: SeriesKey, timeMs: number, rejections: Rejections): Series | undefined {
    if (timeMs > this.#maxTimeMs()) {
      rejections.add("too_new", `${formatLabels(key.labels)}: ${timeMs} is too far in the future`);
      return undefined;
    }
    const series = seriesOf(tenant, key);
    series.info = key.info;
    return series;
  }
}

function seriesOf(tenant: Tenant, { labels, info }: SeriesKey): Series {
  const id = labelsKey(labels);
  let series = tenant.series.get(id);
  if (!series) {
    series = { labels, info, samples: new Map(), histograms: new Map(), exemplars: [] };
    tenant.series.set(id, series);
  }
  return series;
}

function appendExemplars(tenant: Tenant, batch: MetricBatch): void {
  for (const { ref, ...exemplar } of batch.exemplars) {
    const { exemplars } = seriesOf(tenant, batch.series[ref] as SeriesKey);
    if (!exemplars.some((other) => sameExemplar(other, exemplar))) exemplars.push(exemplar);
  }
}

class Rejections {
  readonly #byReason = new Map<Rejection["reason"], { count: number; message: string }>();
  count = 0;

  add(reason: Rejection["reason"], message: string): void {
    const entry = this.#byReason.get(reason);
    if (entry) entry.count++;
    else this.#byReason.set(reason, { count: 1, message });
    this.count++;
  }

  duplicate(labels: Labels, timeMs: number): void {
    this.add("duplicate", `${formatLabels(labels)} already has another value at ${timeMs}`);
  }

  list(): Rejection[] {
    return [...this.#byReason].map(([reason, { count, message }]) => ({ reason, count, message }));
  }
}

function sliceOf(series: Series, { range: { startMs, endMs } }: SeriesRequest): SeriesSlice {
  const ascending = <T extends { readonly timeMs: number }>(rows: Iterable<T>): T[] =>
    [...rows].filter(({ timeMs }) => timeMs >= startMs && timeMs <= endMs).sort((a, b) => a.timeMs - b.timeMs);
  const samples = ascending(series.samples.values());
  const histograms = ascending(series.histograms.values());
  const values = new Float64Array(BigUint64Array.from(samples, ({ bits }) => bits).buffer);
  return {
    labels: series.labels,
    info: series.info,
    ...timesOf(samples),
    values,
    ...(histograms.length > 0 && {
      histograms: {
        ...timesOf(histograms),
        values: histograms.map(({ histogram }) => histogram),
      } satisfies HistogramSlice,
    }),
  };
}

function timesOf(rows: readonly { readonly timeMs: number; readonly startMs: number }[]) {
  const timesMs = Float64Array.from(rows, ({ timeMs }) => timeMs);
  if (rows.every(({ startMs }) => startMs === 0)) return { timesMs };
  return { timesMs, startsMs: Float64Array.from(rows, ({ startMs }) => startMs) };
}

function limited<T>(all: T[], limit: number | undefined): T[] {
  return limit ? all.slice(0, limit) : all;
}

function sameHistogram(a: NativeHistogram, b: NativeHistogram): boolean {
  if (isStaleHistogram(a) || isStaleHistogram(b)) return a === b;
  const text = (histogram: NativeHistogram) =>
    JSON.stringify(histogram, (_, value) =>
      ArrayBuffer.isView(value) ? [...(value as Float64Array)].map(String) : value,
    );
  return text(a) === text(b) && Object.is(a.sum, b.sum) && Object.is(a.count, b.count);
}

function sameExemplar(a: Omit<ExemplarSample, "ref">, b: Omit<ExemplarSample, "ref">): boolean {
  return a.timeMs === b.timeMs && Object.is(a.value, b.value) && labelsKey(a.labels) === labelsKey(b.labels);
}

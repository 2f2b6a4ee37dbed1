import type { NativeHistogram } from "./histogram.ts";
import type { Labels } from "./labels.ts";
import type { Matcher } from "./matcher.ts";
import type { ExemplarSample, MetricBatch, MetricMetadata, SeriesInfo } from "./metric-batch.ts";
import type { Store } from "./ports.ts";
import type { TenantId } from "./tenant.ts";
import type { TimeRange } from "./time-range.ts";

/** `matchers` is a conjunction; empty means everything of the tenant in the range. `limit` 0 or absent: no limit. */
export type LabelRequest = {
  readonly tenant: TenantId;
  readonly range: TimeRange;
  readonly matchers: readonly Matcher[];
  readonly limit?: number | undefined;
};
export type SeriesRequest = LabelRequest & {
  /** The series come in the order of their labels (`compareLabels`), over all groups; else in no order. */
  readonly sorted?: boolean | undefined;
  /** The values of a group may be overwritten once the next group is asked for. Times never are. */
  readonly transient?: boolean | undefined;
  readonly hints?: SelectHints | undefined;
};
/** What the samples are for. May be ignored; matchers and range may not. */
export type SelectHints = {
  readonly stepMs: number;
  readonly func: string;
  readonly rangeMs: number;
  /** Of each series only the newest sample in the range counts, and the newest histogram; older ones may be left out. */
  readonly newestOnly?: boolean | undefined;
  /**
   * `func` is given all samples of a range as they are, knows {@link SeriesSlice.counts}, and, when it is about the change
   * over a range, does not mind points between samples.
   */
  readonly aggregated?: boolean | undefined;
};

/** All the PromQL engine knows of storage. Every call stops soon after `signal` aborts, throwing its reason. */
export interface Queryable {
  /**
   * Yields groups of series, in no order unless the request asks for one. A series comes exactly once, with all its
   * samples in the range, ascending in time, one per timestamp (of several written, the first). Series without a sample
   * in the range are left out.
   */
  select(request: SeriesRequest, signal: AbortSignal): AsyncIterable<readonly SeriesSlice[]>;
  /** Label sets of the series that may have samples in the range (decided by block, not by sample), in no order. */
  series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]>;
  /**
   * Metadata of the families that may be meant by another name than the stored one: those that OpenTelemetry sent, and those
   * whose names need quotes. The same array until something changes, so that what is made of it can be kept. Absent: metrics
   * have no other names.
   */
  translatedMetrics?(tenant: TenantId): Promise<readonly MetricMetadata[]>;
  /** Sorted. */
  labelNames(request: LabelRequest, signal: AbortSignal): Promise<readonly string[]>;
  /** Sorted. */
  labelValues(name: string, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]>;
}

/** Samples of one series. The arrays may be views of the store's own memory: read only. */
export type SeriesSlice = {
  readonly labels: Labels;
  readonly info: SeriesInfo;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  /** Start times beside `timesMs`, 0 where unknown; absent when none is known. */
  readonly startsMs?: Float64Array | undefined;
  /**
   * How many samples each of these stands for, where older ones were downsampled. Its time is that of the last of them; its
   * value is what `hints.func` makes of them: their sum, or the least, or the greatest (for avg_over_time: their sum; for
   * count_over_time it has no meaning). Only when the hints say `aggregated`; absent when each stands for itself.
   */
  readonly counts?: Float64Array | undefined;
  readonly histograms?: HistogramSlice | undefined;
};
export type HistogramSlice = {
  readonly timesMs: Float64Array;
  readonly values: readonly NativeHistogram[];
  readonly startsMs?: Float64Array | undefined;
};

/** Of a tenant's data. A number means nothing after a restart; a text is good for all processes that share a database. */
export type DataVersion = number | string;

export type ChangesSince = {
  /** Of the moment that this is about. */
  readonly version: DataVersion;
  /** In which samples may have come or gone, ascending and apart from each other. */
  readonly ranges: readonly TimeRange[];
};

/** Says what changed, so that what was made of the data can be kept. */
export interface DataChanges {
  /** Take it before reading: whatever is changed later counts as changed since. */
  version(tenant: TenantId): DataVersion | Promise<DataVersion>;
  /**
   * The parts of `range` that changed since then, and the version that this leads to. All of it when something changed
   * that bears on samples of any time, such as a temporality.
   */
  since(tenant: TenantId, version: DataVersion, range: TimeRange): ChangesSince | Promise<ChangesSince>;
}

export interface MetricStore extends Store<MetricBatch>, Queryable {
  /** Absent: nothing made of the data can be kept. */
  readonly changes?: DataChanges;
  /** Newest metadata per metric, all of them or that of `metric`. */
  metadata(tenant: TenantId, metric?: string): Promise<readonly MetricMetadata[]>;
  /** Exemplars of the matching series, ascending in time. */
  exemplars(request: LabelRequest, signal: AbortSignal): Promise<readonly SeriesExemplars[]>;
  /** Absent: this store can't. */
  readonly administration?: MetricAdministration;
}

/** What administrators may do to the samples of one tenant. */
export interface MetricAdministration {
  /**
   * Deletes the samples, floats and histograms, that the matching series have in the range, from every later read. Durable
   * when it settles. Samples written after the call count, whatever their time; of those written during it some may be
   * deleted. Exemplars and metadata stay, as in Prometheus. `changes` has the range. Throws `InvalidInputError` for a
   * regular expression that is none.
   */
  deleteSamples(request: Pick<LabelRequest, "tenant" | "range" | "matchers">): Promise<void>;
  /** Frees the space of all that was deleted before the call; else that happens some time later. */
  purgeDeleted(tenant: TenantId): Promise<void>;
  /**
   * Makes a durable copy of all that reads see now, exemplars and metadata included, in a directory that need not exist. A
   * store of the same kind can be started on it. With `skipMemory`, what has not been flushed is left out.
   */
  snapshot(tenant: TenantId, dir: string, options: { readonly skipMemory: boolean }): Promise<void>;
}
export type SeriesExemplars = { readonly labels: Labels; readonly exemplars: readonly Omit<ExemplarSample, "ref">[] };

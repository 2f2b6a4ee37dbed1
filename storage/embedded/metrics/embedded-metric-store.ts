import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Labels } from "@sightline/model/labels.ts";
import type { Logger } from "@sightline/model/logger.ts";
import { checkMatchers } from "@sightline/model/matcher.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { MetricBatch, MetricMetadata } from "@sightline/model/metric-batch.ts";
import type {
  DataChanges,
  LabelRequest,
  MetricAdministration,
  MetricStore,
  SeriesExemplars,
  SeriesRequest,
  SeriesSlice,
} from "@sightline/model/metric-store.ts";
import type { AppendResult, Copyable } from "@sightline/model/ports.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import type { EmbeddedMetricsConfig } from "../config.ts";
import type { TenantOverrides } from "../retention/tenant-overrides.ts";
import type { CachedPart } from "./block.ts";
import { ByteCache } from "./byte-cache.ts";
import { QuietPreloads } from "./quiet-preloads.ts";
import { retentionOverrides } from "./retention/retention-overrides.ts";
import type { RetentionPolicy } from "./retention/retention-policy.ts";
import { SelectionCache } from "./selection-cache.ts";
import { type StoreState, StoreTelemetry } from "./store-telemetry.ts";
import { TenantMetrics } from "./tenant-metrics.ts";

export type EmbeddedMetricStoreOptions = {
  /** Directory of this store alone, with one directory per tenant in it. */
  readonly dir: string;
  readonly config: EmbeddedMetricsConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** The clock, for tests. */
  readonly nowMs?: () => number;
};

async function* nothing(): AsyncGenerator<never> {}

const MAINTENANCE_INTERVAL_MS = 15_000;
/** Of the size of the cache, on top of it. */
const SELECTION_SHARE = 1 / 16;

/**
 * Metrics in memory and in files of this machine. Appends go to the head; it is cut into immutable blocks when it is
 * full or old, and on `flush`. It is not durable before: the caller's log is (see Writer in ports.ts).
 */
export class EmbeddedMetricStore implements MetricStore, Copyable {
  readonly name = "embedded metric store";
  readonly changes: DataChanges = {
    version: (tenant) => this.#tenants.get(tenant)?.changes.version ?? 0,
    since: (tenant, version, range) => {
      const changes = this.#tenants.get(tenant)?.changes;
      return { version: changes?.version ?? 0, ranges: changes?.since(Number(version), range) ?? [] };
    },
  };
  readonly administration: MetricAdministration = {
    deleteSamples: async ({ tenant, range, matchers }) => {
      checkMatchers(matchers);
      await (await this.#known(tenant))?.deleteSamples(matchers, range);
    },
    purgeDeleted: async (tenant) => (await this.#known(tenant))?.purge(),
    snapshot: async (tenant, dir, { skipMemory }) => {
      await mkdir(dir, { recursive: true });
      await (await this.#known(tenant))?.snapshot(join(dir, tenant), skipMemory);
    },
  };
  async copyTo(dir: string): Promise<void> {
    await mkdir(dir, { recursive: true });
    for (const [tenant, metrics] of this.#tenants) await metrics.snapshot(join(dir, tenant), false);
  }

  readonly memoryParts: readonly MemoryPart[] = [
    { name: "metric_head", memoryBytes: () => this.#headBytes(), flush: () => this.flush() },
    { name: "metric_cache", memoryBytes: () => this.#cache.bytes, shrink: () => this.#cache.shrink() },
    { name: "metric_selections", memoryBytes: () => this.#chosen.bytes, shrink: () => this.#chosen.shrink() },
  ];
  readonly #options: EmbeddedMetricStoreOptions;
  readonly #nowMs: () => number;
  readonly #cache: ByteCache<CachedPart>;
  readonly #chosen: SelectionCache;
  readonly #telemetry: StoreTelemetry;
  readonly #policies: TenantOverrides<RetentionPolicy>;
  readonly #tenants = new Map<TenantId, TenantMetrics>();
  readonly #opening = new Map<TenantId, Promise<TenantMetrics>>();
  /** Positions of appends that wait for their tenant to be opened. */
  readonly #waiting = new Set<number>();
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #maintenance: Promise<void> | undefined;
  readonly #preloads: QuietPreloads;

  constructor(options: EmbeddedMetricStoreOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#cache = new ByteCache(options.config.cache);
    this.#chosen = new SelectionCache(options.config.cache * SELECTION_SHARE);
    this.#telemetry = new StoreTelemetry(options.registry, () => this.#state());
    this.#policies = retentionOverrides(options);
    this.#preloads = new QuietPreloads({ tenants: this.#tenants, cache: this.#cache, logger: options.logger });
  }

  async start(): Promise<void> {
    const { dir } = this.#options;
    await this.#policies.start();
    await mkdir(dir, { recursive: true });
    const entries = await readdir(dir, { withFileTypes: true });
    for (const entry of entries) if (entry.isDirectory()) await this.#openFound(entry.name);
    this.#preloads.start();
    this.#timer = setInterval(() => {
      void this.retire();
      this.#maintainInBackground();
    }, MAINTENANCE_INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#preloads.stop();
    await this.#maintenance;
    await this.flush();
  }

  async append(tenant: TenantId, batch: MetricBatch, position: number): Promise<AppendResult> {
    const known = this.#opening.has(tenant) ? undefined : this.#tenants.get(tenant);
    if (known) return this.#append(known, batch, position);
    this.#waiting.add(position);
    try {
      return this.#append(await this.#open(tenant), batch, position);
    } finally {
      this.#waiting.delete(position);
    }
  }

  firstUnflushedPosition(): number | undefined {
    let first = this.#waiting.size > 0 ? Math.min(...this.#waiting) : undefined;
    for (const { firstUnflushedPosition } of this.#tenants.values()) {
      if (firstUnflushedPosition !== undefined)
        first = Math.min(first ?? firstUnflushedPosition, firstUnflushedPosition);
    }
    return first;
  }

  /** Of each tenant with samples, the time of the newest in milliseconds. */
  newestTimes(): ReadonlyMap<TenantId, number> {
    const times = [...this.#tenants].map(([tenant, metrics]) => [tenant, metrics.newestTimeMs] as const);
    return new Map(times.filter(([, timeMs]) => Number.isFinite(timeMs)));
  }

  async flush(): Promise<void> {
    for (const metrics of this.#tenants.values()) await metrics.cut();
  }

  select(request: SeriesRequest, signal: AbortSignal): AsyncIterable<readonly SeriesSlice[]> {
    signal.throwIfAborted();
    checkMatchers(request.matchers);
    return this.#tenants.get(request.tenant)?.select(request, signal) ?? nothing();
  }

  async series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]> {
    signal.throwIfAborted();
    checkMatchers(request.matchers);
    return this.#tenants.get(request.tenant)?.series(request, signal) ?? [];
  }

  labelNames(request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    return this.#labels(undefined, request, signal);
  }

  labelValues(name: string, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    return this.#labels(name, request, signal);
  }

  async metadata(tenant: TenantId, metric?: string): Promise<readonly MetricMetadata[]> {
    return this.#tenants.get(tenant)?.metadata(metric) ?? [];
  }

  async translatedMetrics(tenant: TenantId): Promise<readonly MetricMetadata[]> {
    return this.#tenants.get(tenant)?.translatedMetrics() ?? [];
  }

  async exemplars(request: LabelRequest, signal: AbortSignal): Promise<readonly SeriesExemplars[]> {
    signal.throwIfAborted();
    return this.#tenants.get(request.tenant)?.exemplars(request, signal) ?? [];
  }

  /** Follows settings that were changed, and hides what has become too old. Runs on its own; public for tests. */
  async retire(): Promise<void> {
    await this.#policies.reload();
    for (const metrics of this.#tenants.values()) metrics.retire();
  }

  /** Cuts what is old, deletes what is too old, merges what is small. Runs on its own; public for tests and tools. */
  async maintain(): Promise<void> {
    for (const [tenant, metrics] of this.#tenants) {
      if (this.#stopping.signal.aborted) return;
      try {
        metrics.retire();
        if (metrics.headAgeMs >= this.#options.config.head.max_age || metrics.isCutting) await metrics.cut();
        await metrics.maintain(this.#stopping.signal);
      } catch (error) {
        this.#telemetry.failures.inc({ work: "maintenance" });
        this.#options.logger.error("maintenance of metrics failed; it is tried again", { error, tenant });
      }
    }
  }

  async #labels(name: string | undefined, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    signal.throwIfAborted();
    checkMatchers(request.matchers);
    const found = await this.#tenants.get(request.tenant)?.labels(name, request, signal);
    const sorted = [...(found ?? [])].sort();
    return request.limit ? sorted.slice(0, request.limit) : sorted;
  }

  async #openFound(name: string): Promise<void> {
    try {
      await this.#open(tenantId(name));
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      this.#options.logger.warn("a directory is not that of a tenant; it is left alone", { name });
    }
  }

  #append(metrics: TenantMetrics, batch: MetricBatch, position: number): AppendResult {
    const count = batch.length + batch.histograms.length;
    this.#preloads.appended();
    if (!metrics.wants(position)) return { accepted: count, rejected: [] };
    const rejections = new Rejections();
    metrics.append(batch, position, rejections);
    const rejected = rejections.list();
    const accepted = count - rejections.count;
    this.#telemetry.appended.inc(accepted);
    for (const { reason, count } of rejected) this.#telemetry.rejected.inc({ reason }, count);
    this.#cutIfFull();
    return { accepted, rejected };
  }

  #open(tenant: TenantId): Promise<TenantMetrics> {
    let opening = this.#opening.get(tenant);
    if (!opening) {
      opening = this.#openNow(tenant).finally(() => this.#opening.delete(tenant));
      this.#opening.set(tenant, opening);
    }
    return opening;
  }

  /** The tenant if it has written something; what is being opened just now counts. */
  async #known(tenant: TenantId): Promise<TenantMetrics | undefined> {
    return (await this.#opening.get(tenant)) ?? this.#tenants.get(tenant);
  }

  async #openNow(tenant: TenantId): Promise<TenantMetrics> {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    const { dir, config, logger } = this.#options;
    const metrics = await TenantMetrics.open({
      dir: join(dir, tenant),
      config,
      logger,
      cache: this.#cache,
      chosen: this.#chosen,
      telemetry: this.#telemetry,
      nowMs: this.#nowMs,
      policy: () => this.#policies.of(tenant),
    });
    this.#tenants.set(tenant, metrics);
    return metrics;
  }

  /** The limit is for all tenants together; the one that has most in memory makes room. */
  #cutIfFull(): void {
    let total = 0;
    let biggest: TenantMetrics | undefined;
    for (const metrics of this.#tenants.values()) {
      total += metrics.headSamples;
      if (!metrics.isCutting && metrics.headSamples > (biggest?.headSamples ?? 0)) biggest = metrics;
    }
    if (total < this.#options.config.head.max_samples || !biggest) return;
    biggest.cut().then(
      () => this.#maintainInBackground(),
      (error: unknown) => this.#options.logger.error("cutting the head failed; it is tried again", { error }),
    );
  }

  #maintainInBackground(): void {
    this.#maintenance ??= this.maintain().finally(() => {
      this.#maintenance = undefined;
    });
  }

  #headBytes(): number {
    let bytes = 0;
    for (const { headBytes } of this.#tenants.values()) bytes += headBytes;
    return bytes;
  }

  #state(): StoreState {
    const tenants = [...this.#tenants.values()];
    const blocks = tenants.flatMap((tenant) => tenant.blocks);
    const sum = <T>(items: readonly T[], of: (item: T) => number) => items.reduce((total, item) => total + of(item), 0);
    return {
      headSeries: sum(tenants, ({ headSeries }) => headSeries),
      headSamples: sum(tenants, ({ headSamples }) => headSamples),
      headBytes: this.#headBytes(),
      blocks: blocks.length,
      blockSamples: sum(blocks, ({ samples }) => samples),
      blockBytes: sum(blocks, ({ bytes }) => bytes),
      cacheBytes: this.#cache.bytes,
    };
  }
}

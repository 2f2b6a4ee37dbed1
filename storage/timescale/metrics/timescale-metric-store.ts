import { InvalidInputError, UnavailableError } from "@sightline/model/errors.ts";
import type { Labels } from "@sightline/model/labels.ts";
import { compileMatchers } from "@sightline/model/matcher.ts";
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
import type { AppendResult } from "@sightline/model/ports.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import type { TenantId } from "@sightline/model/tenant.ts";
import { assertMigrated, migrateUp } from "../database/migrations.ts";
import { deleteSamples } from "./delete-samples.ts";
import { Generation } from "./generation.ts";
import { Maintenance } from "./maintenance.ts";
import { newestTimes } from "./newest-times.ts";
import { PageCache } from "./page-cache.ts";
import { Partitions } from "./partitions.ts";
import { NO_OVERRIDES, Retention, type RetentionOverrides } from "./retention/retention.ts";
import { SampleBuffer } from "./sample-buffer.ts";
import { selectSeries } from "./select-series.ts";
import { SeriesLookup } from "./series-lookup.ts";
import { readExemplars, readMetadata } from "./side-data.ts";
import { metricMigrations, readFacts, type StoreFacts, warnOfFacts } from "./store-facts.ts";
import type { TimescaleMetricStoreOptions } from "./store-options.ts";
import { StoreTelemetry } from "./store-telemetry.ts";
import { StoredChanges } from "./stored-changes.ts";
import { TenantCaches } from "./tenant-caches.ts";
import { TenantNumbers } from "./tenant-numbers.ts";
import { TranslatedMetrics } from "./translated-metrics.ts";
import { writeGeneration } from "./write-generation.ts";

const MAINTENANCE_INTERVAL_MS = 30_000;
const RELOAD_INTERVAL_MS = 15_000;
const SAMPLE_BYTES = 40;
const SERIES_BYTES = 500;

/**
 * Metrics in PostgreSQL, with TimescaleDB where it is there. Appends are gathered in memory and written in one transaction a
 * second, with the position up to which the writer's log is not needed any more. A query of the same process writes what is in
 * memory first; other processes see it then.
 */
export class TimescaleMetricStore implements MetricStore {
  readonly name = "PostgreSQL metric store";
  readonly administration: MetricAdministration = {
    deleteSamples: async ({ tenant, range, matchers }) => {
      compileMatchers(matchers);
      await this.#open();
      await this.flush();
      const tenantNumber = await this.#tenants.find(tenant);
      if (tenantNumber === undefined) return;
      const { database } = this.#options;
      await deleteSamples(database, { tenant, tenantNumber, matchers, range, hasPages: this.#hasPages });
      this.#caches.known(tenant)?.forgetSamples();
    },
    // PostgreSQL's autovacuum frees the space of rows, and pages are rewritten at once.
    purgeDeleted: async () => {},
    snapshot: async () => {
      throw new InvalidInputError("metrics in PostgreSQL have no snapshots: use pg_dump or pg_basebackup");
    },
  };
  /** Of replicas nobody knows what they have by now. */
  readonly changes?: DataChanges;
  readonly memoryParts: readonly MemoryPart[] = [
    { name: "metric_head", memoryBytes: () => this.#bytes(), flush: () => this.flush() },
    { name: "metric_pages", memoryBytes: () => this.#pages.bytes, shrink: () => this.#pages.clear() },
  ];
  readonly #options: TimescaleMetricStoreOptions;
  readonly #nowMs: () => number;
  readonly #telemetry: StoreTelemetry;
  readonly #tenants: TenantNumbers;
  readonly #overrides: RetentionOverrides;
  readonly #retention: Retention;
  readonly #lookup: SeriesLookup;
  readonly #pages: PageCache;
  readonly #translated = new TranslatedMetrics((tenant) => this.metadata(tenant));
  readonly #caches = new TenantCaches();
  readonly #stopping = new AbortController();
  #facts: StoreFacts = { layout: "partitions", reader: undefined };
  #partitions: Partitions | undefined;
  #maintenance: Maintenance | undefined;
  #maintaining: Promise<void> | undefined;
  #durablePosition = Number.NEGATIVE_INFINITY;
  /** Takes appends. */
  #current = new Generation(1);
  /** Is being written, or could not be and will be again. */
  #writing: Generation | undefined;
  #flushed = 0;
  #flushing: Promise<void> | undefined;
  #opening: Promise<void> | undefined;
  #isFailing = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(options: TimescaleMetricStoreOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#tenants = new TenantNumbers(options.database);
    this.#overrides = options.overrides ?? NO_OVERRIDES;
    this.#retention = new Retention(options.config, this.#overrides, this.#nowMs);
    this.#lookup = new SeriesLookup({
      database: options.database,
      retention: this.#retention,
      beginOf: (tenant, signal) => this.#beginOf(tenant, signal),
    });
    if (options.config.replicas.length === 0) {
      const write = (tenant: TenantId) => this.#getReady(tenant, NEVER);
      const [{ database }, tenants, retention] = [options, this.#tenants, this.#retention];
      this.changes = new StoredChanges({ database, tenants, retention, write });
    }
    this.#telemetry = new StoreTelemetry(options.registry, () => ({
      samples: this.#current.samples + (this.#writing?.samples ?? 0),
      series: this.#caches.series,
    }));
    this.#pages = new PageCache({ maxBytes: options.config.page_cache, requests: this.#telemetry.pages });
  }

  /**
   * A database that can't be reached is waited for: until then every call throws `UnavailableError`. Throws `InvalidInputError` when
   * what is said of single tenants is wrong.
   */
  async start(): Promise<void> {
    const { config, logger } = this.#options;
    await this.#overrides.start();
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      logger.warn("PostgreSQL is not there: what comes in waits in the write-ahead log until it is", { error });
    }
    this.#every(RELOAD_INTERVAL_MS, () => void this.reloadRetention());
    if (this.#options.writer === undefined) return;
    this.#every(Math.max(10, config.flush.max_age / 4), () => this.#flushIfOld());
    this.#every(MAINTENANCE_INTERVAL_MS, () => this.#maintainInBackground());
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    this.#stopping.abort();
    await this.#maintaining;
    await this.flush();
  }

  async append(tenant: TenantId, batch: MetricBatch, position: number): Promise<AppendResult> {
    await this.#open();
    if (this.#options.writer === undefined) throw new Error("this store is only read");
    const count = batch.length + batch.histograms.length;
    if (position <= this.#durablePosition) return { accepted: count, rejected: [] };
    await this.#makeRoom();
    const nowMs = this.#nowMs();
    const { config } = this.#options;
    const bounds = {
      oldestMs: nowMs - this.#retention.of(tenant).longestMs,
      newestMs: nowMs + config.out_of_bounds_future,
    };
    const rejections = new Rejections();
    this.#bufferOf(tenant).append(batch, bounds, rejections);
    this.#current.took(position);
    if (batch.metadata.length > 0) this.#translated.changed(tenant);
    const rejected = rejections.list();
    const accepted = count - rejections.count;
    this.#telemetry.appended.inc(accepted);
    for (const { reason, count } of rejected) this.#telemetry.rejected.inc({ reason }, count);
    if (this.#current.samples >= this.#options.config.flush.max_samples) this.#flushInBackground();
    return { accepted, rejected };
  }

  firstUnflushedPosition(): number | undefined {
    return this.#writing?.firstPosition ?? this.#current.firstPosition;
  }

  async flush(): Promise<void> {
    const through = this.#current.firstPosition === undefined ? this.#current.number - 1 : this.#current.number;
    await this.#flushThrough(through);
  }

  async *select(request: SeriesRequest, signal: AbortSignal): AsyncIterable<readonly SeriesSlice[]> {
    signal.throwIfAborted();
    compileMatchers(request.matchers);
    const begin = await this.#beginOf(request.tenant, signal);
    if (begin === undefined) return;
    yield* this.#options.database.readEach("reading samples", begin, signal, (client) =>
      selectSeries(
        client,
        request,
        { cache: this.#pages, hasPages: this.#hasPages, retention: this.#retention },
        signal,
      ),
    );
  }

  async series(request: LabelRequest, signal: AbortSignal): Promise<readonly Labels[]> {
    return this.#lookup.series(request, signal);
  }

  async labelNames(request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    return this.#lookup.labelNames(request, signal);
  }

  async labelValues(name: string, request: LabelRequest, signal: AbortSignal): Promise<readonly string[]> {
    return this.#lookup.labelValues(name, request, signal);
  }

  async metadata(tenant: TenantId, metric?: string): Promise<readonly MetricMetadata[]> {
    const begin = await this.#beginOf(tenant, NEVER);
    if (begin === undefined) return [];
    return this.#options.database.read("reading metadata", begin, NEVER, (client) => readMetadata(client, metric));
  }

  async translatedMetrics(tenant: TenantId): Promise<readonly MetricMetadata[]> {
    return this.#translated.of(tenant);
  }

  async exemplars(request: LabelRequest, signal: AbortSignal): Promise<readonly SeriesExemplars[]> {
    signal.throwIfAborted();
    const begin = await this.#beginOf(request.tenant, signal);
    if (begin === undefined) return [];
    const { database } = this.#options;
    return database.read("reading exemplars", begin, signal, (client) => readExemplars(client, request, signal));
  }

  /** Of each tenant whose samples changed lately, the time of the newest of those in milliseconds. */
  async newestTimes(signal: AbortSignal): Promise<ReadonlyMap<TenantId, number>> {
    await this.#open();
    return newestTimes(this.#options.database, this.#nowMs(), signal);
  }

  /** Follows settings of tenants that were changed. Runs on its own; public for tests. */
  async reloadRetention(): Promise<void> {
    await this.#overrides.reload();
  }

  /** Packs or compresses, and drops what is too old. Runs on its own; public for tests and tools. */
  async maintain(): Promise<void> {
    await this.#open();
    await this.#maintenance?.run(this.#stopping.signal);
  }

  /** Once, before anything else; a failure is tried again by the next call. */
  #open(): Promise<void> {
    this.#opening ??= this.#openNow().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openNow(): Promise<void> {
    const { database, config, logger, writer } = this.#options;
    await database.assertUsable();
    const migrations = metricMigrations(config);
    if (config.migrate) {
      const applied = await migrateUp(database, migrations);
      if (applied.length > 0) logger.info("the tables are up to date", { applied: applied.map(({ name }) => name) });
    } else await assertMigrated(database, migrations);
    this.#facts = await database.write("reading what the tables are like", readFacts);
    this.#partitions = this.#hasPages ? new Partitions(database, this.#nowMs) : undefined;
    warnOfFacts(this.#facts, logger);
    if (writer === undefined) return;
    this.#durablePosition = await database.transaction("reading the position of the writer", async (client) => {
      await client.query("INSERT INTO writers (name, position) VALUES ($1, -1) ON CONFLICT DO NOTHING", [writer]);
      const { rows } = await client.query("SELECT position FROM writers WHERE name = $1 FOR UPDATE", [writer]);
      return Number(rows[0].position);
    });
    const [telemetry, nowMs] = [this.#telemetry, this.#nowMs];
    const [partitions, retention] = [this.#partitions, this.#retention];
    this.#maintenance = new Maintenance({ database, config, logger, telemetry, nowMs, partitions, retention });
  }

  get #hasPages(): boolean {
    return this.#facts.layout === "partitions";
  }

  /** How a transaction that reads for the tenant begins, once what is in memory is written; undefined: it has nothing. */
  async #beginOf(tenant: TenantId, signal: AbortSignal): Promise<string | undefined> {
    await this.#getReady(tenant, signal);
    const number = await this.#tenants.find(tenant);
    if (number === undefined) return undefined;
    const role = this.#facts.reader === undefined ? "" : `SET LOCAL ROLE ${this.#facts.reader};`;
    return `SET LOCAL enable_seqscan = off; SET LOCAL app.tenant = '${number}'; ${role}`;
  }

  /** What is in memory for the tenant is written before it is read. */
  #getReady(tenant: TenantId, signal: AbortSignal): Promise<void> {
    return this.#options.database.waitOut(signal, async () => {
      await this.#open();
      if (this.#writing?.tenants.has(tenant) || this.#current.tenants.has(tenant)) await this.flush();
    });
  }

  #bufferOf(tenant: TenantId): SampleBuffer {
    const known = this.#current.tenants.get(tenant);
    if (known) return known;
    const buffer = new SampleBuffer(this.#caches.of(tenant), this.#current.number);
    this.#current.tenants.set(tenant, buffer);
    return buffer;
  }

  /** Holds the sender back while more waits to be written than is good. Throws `UnavailableError`. */
  async #makeRoom(): Promise<void> {
    const { max_samples } = this.#options.config.flush;
    while (this.#writing && this.#current.samples >= max_samples) await this.#flushThrough(this.#writing.number);
  }

  async #flushThrough(generation: number): Promise<void> {
    while (this.#flushed < generation) {
      this.#flushing ??= this.#writeNext().finally(() => {
        this.#flushing = undefined;
      });
      await this.#flushing;
    }
  }

  async #writeNext(): Promise<void> {
    if (!this.#writing) {
      this.#writing = this.#current;
      this.#current = new Generation(this.#writing.number + 1);
      for (const buffer of this.#writing.tenants.values()) buffer.seal();
    }
    const generation = this.#writing;
    if (generation.firstPosition !== undefined) await this.#write(generation);
    this.#flushed = generation.number;
    this.#writing = undefined;
    this.#caches.forget(this.#options.config.max_series, (tenant) => this.#current.tenants.has(tenant));
  }

  async #write(generation: Generation): Promise<void> {
    const { database, writer = "", copyIn = true } = this.#options;
    const timer = this.#telemetry.flushSeconds.startTimer();
    try {
      await writeGeneration(generation, {
        database,
        writer,
        copyIn,
        tenants: this.#tenants,
        partitions: this.#partitions,
      });
    } catch (cause) {
      this.#telemetry.failures.inc({ work: "flush" });
      if (cause instanceof UnavailableError) throw cause;
      // What was taken in must not be lost whatever the reason: it is tried again, and senders are held back.
      throw new UnavailableError(`writing samples to PostgreSQL: ${(cause as Error).message}`, {
        cause,
        retryAfterMs: 1_000,
      });
    }
    timer();
    this.#durablePosition = Math.max(this.#durablePosition, generation.lastPosition);
  }

  #flushIfOld(): void {
    const { firstPosition, beganMs } = this.#writing ?? this.#current;
    if (firstPosition === undefined || performance.now() - beganMs < this.#options.config.flush.max_age) return;
    this.#flushInBackground();
  }

  #flushInBackground(): void {
    if (this.#flushing) return;
    this.#flushThrough(this.#flushed + 1).then(
      () => {
        if (this.#isFailing) this.#options.logger.info("samples are written to PostgreSQL again");
        this.#isFailing = false;
      },
      (error: unknown) => {
        if (!this.#isFailing)
          this.#options.logger.warn("samples can't be written to PostgreSQL; it is tried again", { error });
        this.#isFailing = true;
      },
    );
  }

  #maintainInBackground(): void {
    this.#maintaining ??= this.maintain()
      .catch((error: unknown) => this.#options.logger.warn("maintenance of the metric tables failed", { error }))
      .finally(() => {
        this.#maintaining = undefined;
      });
  }

  #every(ms: number, run: () => void): void {
    const timer = setInterval(run, ms);
    timer.unref();
    this.#timers.push(timer);
  }

  #bytes(): number {
    return (this.#current.samples + (this.#writing?.samples ?? 0)) * SAMPLE_BYTES + this.#caches.series * SERIES_BYTES;
  }
}

const NEVER = new AbortController().signal;

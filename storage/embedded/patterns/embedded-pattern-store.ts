import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { CorruptionError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type {
  LogLevels,
  LogPatternMiner,
  LogPatternSelection,
  LogPatternStore,
} from "@sightline/model/log-pattern-store.ts";
import type { StreamRequest } from "@sightline/model/log-store.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryPart } from "@sightline/model/memory-part.ts";
import type { Component } from "@sightline/model/ports.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import type { Registry } from "prom-client";
import type { EmbeddedPatternsConfig } from "../config.ts";
import { writeFileAtomic } from "../files/write-file-atomic.ts";
import { Breather } from "../segments/breather.ts";
import { LinePatternMiner } from "./line-pattern-miner.ts";
import { PatternMetrics } from "./pattern-metrics.ts";
import { decodePatterns, encodePatterns } from "./pattern-snapshot.ts";
import type { MayLookCloser } from "./template-miner.ts";
import { TenantPatterns } from "./tenant-patterns.ts";

const SUFFIX = ".patterns";
const SINCE = "since";
const MAX_SNAPSHOT_BYTES = 1 << 30;
/** Rows that are counted before others get a turn. */
const ROWS_PER_TURN = 512;
const MAINTENANCE_MS = 10_000;
const SNAPSHOT_MS = 60_000;
/** Of the time, snapshots take at most this part. */
const SNAPSHOT_SHARE = 0.02;
/** So many go when there are too many templates, so that it is not done for each new one. */
const EVICTED_SHARE = 0.1;
const MAX_PRESSURE = 3;
/** Of a template, until it was measured. */
const TEMPLATE_BYTES = 4_000;

export type EmbeddedPatternStoreOptions = {
  /** Belongs to this store alone. */
  readonly dir: string;
  readonly config: EmbeddedPatternsConfig;
  readonly levels: LogLevels;
  /** There may be log records that came before this store was there. */
  readonly hasOlderLogs: boolean;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly nowMs?: (() => number) | undefined;
};

/**
 * Patterns of log lines in memory, with a file per tenant that is written once a minute and when the process stops. After a
 * crash the write-ahead log brings back what it still has; counts of at most a minute are lost. Patterns of more than
 * `max_templates` are let go, the longest unused first.
 */
export class EmbeddedPatternStore implements Component, LogPatternStore {
  readonly name = "embedded pattern store";
  readonly #options: EmbeddedPatternStoreOptions;
  readonly #nowMs: () => number;
  readonly #tenants = new Map<TenantId, TenantPatterns>();
  readonly #metrics: PatternMetrics;
  readonly #tally = { templates: 0 };
  readonly #mayLookCloser: MayLookCloser;
  #timer: NodeJS.Timeout | undefined;
  /** Counting, writing and joining happen one after the other. */
  #work: Promise<unknown> = Promise.resolve();
  #bytesPerTemplate = TEMPLATE_BYTES;
  #compactedMs = 0;
  #writeAfterMs = 0;
  /** Lines that came before nobody has counted. */
  #sinceMs = 0;

  constructor(options: EmbeddedPatternStoreOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#metrics = new PatternMetrics(options.registry, () => this.#tally.templates);
    this.#mayLookCloser = perSecond(options.config.max_new_lines_per_second, this.#nowMs);
  }

  get memoryParts(): readonly MemoryPart[] {
    return [
      {
        name: "log_patterns",
        memoryBytes: () => this.#memoryBytes(),
        shrink: () => this.#shrink(),
      },
    ];
  }

  async start(): Promise<void> {
    if (!this.#options.config.enabled) return;
    await mkdir(this.#options.dir, { recursive: true });
    this.#sinceMs = await this.#readSince();
    for (const file of await readdir(this.#options.dir)) {
      if (file.endsWith(SUFFIX)) await this.#load(file);
    }
    this.#timer = setInterval(() => this.#enqueue(() => this.#maintain()), MAINTENANCE_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#timer) await this.#enqueue(() => this.#write());
    this.#timer = undefined;
  }

  /** Counts a batch that a store has taken. Never throws: logs matter more than their patterns. */
  observe(tenant: TenantId, batch: LogBatch, position: number): Promise<void> {
    if (!this.#options.config.enabled || batch.length === 0) return Promise.resolve();
    return this.#enqueue(() => this.#count(tenant, batch, position));
  }

  async patterns(request: StreamRequest, signal: AbortSignal): Promise<LogPatternSelection> {
    signal.throwIfAborted();
    const tenant = this.#tenants.get(request.tenant);
    return tenant ? tenant.select(request, signal) : { isComplete: false, patterns: [] };
  }

  miner(): LogPatternMiner {
    return new LinePatternMiner();
  }

  async forget({ tenant, matchers }: Pick<StreamRequest, "tenant" | "matchers">): Promise<void> {
    await this.#enqueue(async () => {
      const patterns = this.#tenants.get(tenant);
      if (!patterns || patterns.forget(matchers) === 0) return;
      patterns.isDirty = true;
      await this.#writeTenant(tenant, patterns);
    });
  }

  /** Writes snapshots now; it happens by itself once a minute. */
  flush(): Promise<void> {
    return this.#enqueue(() => this.#write());
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work).catch((error: unknown) => {
      this.#metrics.failures.inc();
      this.#options.logger.error("patterns of log lines", { error });
    });
    this.#work = done;
    return done;
  }

  async #count(id: TenantId, batch: LogBatch, position: number): Promise<void> {
    const nowMs = this.#nowMs();
    let tenant = this.#tenants.get(id);
    if (!tenant) {
      tenant = this.#newTenant();
      this.#tenants.set(id, tenant);
    }
    const { levels } = this.#options;
    const count = tenant.counter(batch, position, { levels, nowMs, mayLookCloser: this.#mayLookCloser });
    let skipped = 0;
    const breather = new Breather();
    for (let from = 0; from < batch.length; from += ROWS_PER_TURN) {
      skipped += count(from, Math.min(from + ROWS_PER_TURN, batch.length));
      if (breather.due) await breather.pause();
    }
    tenant.applied(batch, position);
    if (skipped > 0) this.#metrics.skipped.inc(skipped);
    const { max_templates: maxTemplates } = this.#options.config;
    const { templates } = this.#tally;
    if (templates > maxTemplates) await this.#evict(templates - maxTemplates * (1 - EVICTED_SHARE));
  }

  /** Written once: where there were logs before there was this store. */
  async #readSince(): Promise<number> {
    const path = join(this.#options.dir, SINCE);
    const known = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (known !== undefined) return Number(known) || 0;
    const sinceMs = this.#options.hasOlderLogs ? this.#nowMs() : 0;
    await writeFileAtomic(path, Buffer.from(String(sinceMs)));
    return sinceMs;
  }

  #newTenant(): TenantPatterns {
    const { max_streams_per_service: maxStreams } = this.#options.config;
    return new TenantPatterns(this.#sinceMs, { maxStreams, tally: this.#tally });
  }

  #shrink(): void {
    for (const _ of this.#evictSteps(this.#tally.templates / 2));
  }

  #memoryBytes(): number {
    return this.#tally.templates * this.#bytesPerTemplate;
  }

  /** Lets go of so many templates: of the tenant that has most, those that were not used for longest. In small steps. */
  *#evictSteps(count: number): Generator<void> {
    let left = Math.min(Math.ceil(count), this.#tally.templates);
    while (left > 0) {
      const { tenant, used } = this.#timesOfLargest();
      const evicted = Math.min(left, used.length);
      if (!tenant || evicted === 0) return;
      const latestMs = used.sort()[evicted - 1] as number;
      let still = evicted;
      yield* tenant.evict(({ lastUsedMs }) => lastUsedMs <= latestMs && still-- > 0);
      this.#metrics.evicted.inc(evicted);
      left -= evicted;
    }
  }

  async #evict(count: number): Promise<void> {
    const breather = new Breather();
    for (const _ of this.#evictSteps(count)) if (breather.due) await breather.pause();
  }

  #timesOfLargest(): { readonly tenant: TenantPatterns | undefined; readonly used: Float64Array } {
    let largest: TenantPatterns | undefined;
    let used: number[] = [];
    for (const tenant of this.#tenants.values()) {
      const times: number[] = [];
      tenant.eachTemplate(({ lastUsedMs }) => times.push(lastUsedMs));
      if (times.length <= used.length) continue;
      largest = tenant;
      used = times;
    }
    return { tenant: largest, used: Float64Array.from(used) };
  }

  async #maintain(): Promise<void> {
    const nowMs = this.#nowMs();
    await this.#measure();
    const { max_bytes: maxBytes } = this.#options.config;
    if (nowMs - this.#compactedMs >= SNAPSHOT_MS) {
      this.#compactedMs = nowMs;
      await this.#compact(0);
    }
    for (let pressure = 1; pressure <= MAX_PRESSURE && this.#memoryBytes() > maxBytes; pressure++) {
      await this.#compact(pressure);
    }
    const excess = 1 - maxBytes / this.#memoryBytes();
    if (excess > 0) await this.#evict(this.#tally.templates * (excess + EVICTED_SHARE));
    if (nowMs >= this.#writeAfterMs) await this.#write();
  }

  async #compact(pressure: number): Promise<void> {
    const nowSeconds = Math.floor(this.#nowMs() / 1_000);
    const oldestSeconds = nowSeconds - this.#options.config.retention / 1_000;
    for (const tenant of this.#tenants.values()) await tenant.compact({ nowSeconds, oldestSeconds, pressure });
    await this.#measure();
  }

  async #measure(): Promise<void> {
    let bytes = 0;
    for (const tenant of this.#tenants.values()) bytes += await tenant.memoryBytes();
    if (this.#tally.templates > 0) this.#bytesPerTemplate = bytes / this.#tally.templates;
  }

  async #write(): Promise<void> {
    const began = performance.now();
    for (const [id, tenant] of this.#tenants) if (tenant.isDirty) await this.#writeTenant(id, tenant);
    const tookMs = performance.now() - began;
    this.#writeAfterMs = this.#nowMs() + Math.max(SNAPSHOT_MS, tookMs / SNAPSHOT_SHARE);
  }

  async #writeTenant(id: TenantId, tenant: TenantPatterns): Promise<void> {
    tenant.isDirty = false;
    const breather = new Breather();
    const lines: Buffer[] = [];
    for (const line of encodePatterns(tenant)) {
      lines.push(Buffer.from(line));
      if (breather.due) await breather.pause();
    }
    try {
      await writeFileAtomic(this.#path(id), await compress(Buffer.concat(lines)));
    } catch (error) {
      tenant.isDirty = true;
      throw error;
    }
  }

  #path(id: TenantId): string {
    return join(this.#options.dir, `${id}${SUFFIX}`);
  }

  /** What can't be read is left behind: the patterns of lines to come are found again. */
  async #load(file: string): Promise<void> {
    const path = join(this.#options.dir, file);
    const id = tenantId(file.slice(0, -SUFFIX.length));
    let tenant = this.#newTenant();
    try {
      await readSnapshot(path, tenant);
    } catch (error) {
      for (const _ of tenant.evict(() => true));
      tenant = this.#newTenant();
      tenant.lostUpToMs = this.#nowMs();
      this.#metrics.failures.inc();
      this.#options.logger.warn("patterns of log lines could not be read: they begin anew", { path, error });
      await rm(path, { force: true });
    }
    this.#tenants.set(id, tenant);
  }
}

async function readSnapshot(path: string, tenant: TenantPatterns): Promise<void> {
  const bytes = await decompress(await readFile(path), { maxOutputLength: MAX_SNAPSHOT_BYTES });
  const breather = new Breather();
  let index = 0;
  for (let from = 0; from < bytes.length; index++) {
    const end = bytes.indexOf("\n", from);
    if (end < 0) throw new CorruptionError(`${path}: the last line is cut off`);
    decodePatterns(bytes.toString("utf8", from, end), index, tenant);
    from = end + 1;
    if (breather.due) await breather.pause();
  }
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A budget that is new each second. The clock is read now and then only. */
function perSecond(max: number, nowMs: () => number): MayLookCloser {
  let left = 0;
  let second = 0;
  return () => {
    if (left-- > 0) return true;
    const now = Math.floor(nowMs() / 1_000);
    if (now === second) return false;
    second = now;
    left = max - 1;
    return max > 0;
  };
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { metricBatchOf, type SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { Registry } from "prom-client";
import type { ResultsCacheConfig } from "../../config.ts";
import { DEFAULT_PROM_LIMITS } from "../../promql/config.ts";
import { PromEngine } from "../../promql/engine.ts";
import type { QueryResult } from "../../promql/result.ts";
import { MemoryResultsCache } from "../memory-results-cache.ts";
import { RangeCache } from "../range-cache.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const T0 = 1_700_000_000_000 - (1_700_000_000_000 % HOUR);
/** What the cache takes for the present. */
export const NOW_MS = T0 + 100 * HOUR;
const NEVER = new AbortController().signal;
const CONFIG = { enabled: true, max_bytes: 1 << 26, recent_ms: 0, min_evaluation_ms: 0 };

/** An embedded store of its own, and an engine that answers from it with and without a cache of results. */
export class CacheWorld {
  readonly store: EmbeddedMetricStore;
  readonly engine: PromEngine;
  readonly #dir: string;
  #position = 1;

  private constructor(store: EmbeddedMetricStore, dir: string, config: ResultsCacheConfig) {
    this.store = store;
    this.#dir = dir;
    const cache = new MemoryResultsCache({ maxBytes: config.max_bytes });
    const rangeCache = new RangeCache({ cache, changes: store.changes, config, nowMs: () => NOW_MS });
    this.engine = new PromEngine({ queryable: store, limits: DEFAULT_PROM_LIMITS, rangeCache });
  }

  static async make(cacheConfig: Partial<ResultsCacheConfig> = {}): Promise<CacheWorld> {
    const dir = await mkdtemp(join(tmpdir(), "sightline-range-cache-"));
    const config = embeddedMetricsConfig.parse({ retention: "100y", out_of_bounds_future: "100y" });
    const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
    await store.start();
    return new CacheWorld(store, dir, { ...CONFIG, ...cacheConfig });
  }

  async dispose(): Promise<void> {
    await this.store.stop();
    await rm(this.#dir, { recursive: true });
  }

  write(rows: readonly SeriesRows[]) {
    return this.store.append(DEFAULT_TENANT, metricBatchOf(rows), this.#position++);
  }

  delete(pod: string, startMs: number, lengthMs: number): Promise<void> {
    const matchers = [{ name: "pod", op: "=", value: pod }] as const;
    const range = { startMs, endMs: startMs + lengthMs };
    return this.store.administration.deleteSamples({ tenant: DEFAULT_TENANT, matchers, range });
  }

  uncached(text: string, range: Range): Promise<QueryResult> {
    return this.engine.range(text, { tenant: DEFAULT_TENANT, signal: NEVER, noCache: true, ...range });
  }

  cached(text: string, range: Range): Promise<QueryResult> {
    return this.engine.range(text, { tenant: DEFAULT_TENANT, signal: NEVER, ...range });
  }
}
export type Range = { readonly startMs: number; readonly endMs: number; readonly stepMs: number };

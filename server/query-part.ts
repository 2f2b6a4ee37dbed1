import { join } from "node:path";
import type { LogPatternStore } from "@sightline/model/log-pattern-store.ts";
import type { LogFeed } from "@sightline/model/log-store.ts";
import type { Component, Copyable } from "@sightline/model/ports.ts";
import { countCutTexts, limitRegexWork } from "@sightline/model/regex.ts";
import type { RuleStates } from "@sightline/model/rules.ts";
import { QueryLog } from "@sightline/query/active-queries/query-log.ts";
import { QueryTracker } from "@sightline/query/active-queries/query-tracker.ts";
import { registerActiveQueries } from "@sightline/query/active-queries/routes.ts";
import { registerDeletionApi } from "@sightline/query/deletion/routes.ts";
import { registerExport } from "@sightline/query/export/routes.ts";
import { registerFederate } from "@sightline/query/federate/routes.ts";
import type { QueryApiDeps } from "@sightline/query/http/query-api.ts";
import { QueryGate } from "@sightline/query/http/query-gate.ts";
import { QueryMemory } from "@sightline/query/http/query-memory.ts";
import { registerJaegerApi } from "@sightline/query/jaeger-api/routes.ts";
import { ForgettingDeletions } from "@sightline/query/log-patterns/forgetting-deletions.ts";
import { registerLokiPatterns } from "@sightline/query/log-patterns/loki-patterns.ts";
import { recordLevels } from "@sightline/query/log-patterns/record-levels.ts";
import { LogqlEngine } from "@sightline/query/logql/logql-engine.ts";
import { registerLogsApi } from "@sightline/query/logs-api/routes.ts";
import { registerLokiApi } from "@sightline/query/loki-api/routes.ts";
import { registerOpenapi } from "@sightline/query/openapi/routes.ts";
import { registerPrometheusApi } from "@sightline/query/prometheus-api/routes.ts";
import { PromEngine } from "@sightline/query/promql/engine.ts";
import { registerRemoteRead } from "@sightline/query/remote-read/routes.ts";
import { MemoryResultsCache } from "@sightline/query/results-cache/memory-results-cache.ts";
import { RangeCache } from "@sightline/query/results-cache/range-cache.ts";
import { SharedResultsCache } from "@sightline/query/results-cache/shared-results-cache.ts";
import { registerReveal } from "@sightline/query/reveal/routes.ts";
import { registerSearchApi } from "@sightline/query/search/routes.ts";
import { registerTempoApi } from "@sightline/query/tempo-api/routes.ts";
import { EmbeddedPatternStore } from "@sightline/storage-embedded/patterns/embedded-pattern-store.ts";
import { Gauge, type Registry } from "prom-client";
import { registerCopyRoute } from "./backup/copy-route.ts";
import type { CatalogStorage } from "./catalog-storage.ts";
import { DATA_LAYOUT } from "./data-layout.ts";
import type { PartContext } from "./part-context.ts";
import { serverFacts } from "./server-facts.ts";
import { VERSION } from "./version.ts";
import { WarmUp } from "./warm-up/warm-up.ts";

/** So long a start waits for the first part of the warm-up: the rest is done before most people have asked. */
const MAX_WARM_UP_DELAY_MS = 1_000;

/** What a collector in the same process has for queries. */
export type OfCollector = { readonly patterns: LogPatternStore };

/** What answers queries: stores → engines → HTTP APIs. */
export type QueryPart = {
  /** Started before all others. */
  readonly first: readonly Component[];
  /** In the order they start; the stores are started before them. */
  readonly components: readonly Component[];
};

export type QueryEngines = { readonly engine: PromEngine; readonly logql: LogqlEngine };

/** What evaluates queries, for those who ask and for rules. */
export function queryEngines(context: PartContext): QueryEngines {
  const { config, registry, memory, stores } = context;
  const queryMemory = new QueryMemory(config.query.max_memory);
  memory.add(queryMemory.memoryPart);
  limitRegexWork(config.query.max_regex_work);
  countCuts(registry);
  return {
    engine: promEngine(context, queryMemory),
    logql: new LogqlEngine({ store: stores.logs, limits: config.query.logs, memory: queryMemory }),
  };
}

/** `services` are the states of components, in Loki's words. */
export function queryPart(
  context: PartContext & {
    readonly catalog: CatalogStorage;
    readonly engines: QueryEngines;
    readonly rules?: RuleStates;
    /** Silences and the like, to be copied with the rest; undefined in a process that notifies nobody. */
    readonly alerting?: Copyable | undefined;
    /** Log records as they come in, for those who tail; undefined: the store is asked for them. */
    readonly feed: LogFeed | undefined;
  },
  collector: OfCollector | undefined,
  services: () => ReadonlyMap<string, string>,
): QueryPart {
  const { config, registry, logger, memory, http, authenticator, sealer, stores, storage, dir } = context;
  const { catalog } = context.catalog;
  const { metrics, logs, traces } = stores;
  const { engine, logql } = context.engines;
  const gate = new QueryGate({
    maxConcurrent: config.query.max_concurrency,
    maxConcurrentPerTenant: config.query.max_concurrency_per_tenant,
    maxCostlyPerTenant: config.query.max_costly_per_tenant,
    maxWaiting: config.query.max_waiting,
    registry,
    memory: memory.queries,
  });
  const queryLog = new QueryLog({ config: config.query.log, logger: logger("query"), registry });
  const { max_entries: maxTopQueries, window_ms: topWindowMs } = config.query.top_queries;
  const tracker = new QueryTracker({ log: queryLog, maxTopQueries, topWindowMs });
  const buildInfo = { version: VERSION, revision: "" };
  const asking = { authenticator, gate, config: config.query, logger: logger("query"), tracker, buildInfo, registry };
  const server = serverFacts(config, Date.now(), memory.limitBytes);
  const patterns = collector?.patterns ?? uncountedPatterns(context);

  registerPrometheusApi(http.app, {
    ...asking,
    engine,
    store: metrics,
    server,
    rules: context.rules,
    snapshotDir: (name) => join(dir("snapshots"), name, DATA_LAYOUT.metrics),
  });
  registerReveal(http.app, { ...asking, sealer, hasKeys: config.auth.mode === "keys" });
  if (collector) registerCopy(context, asking);
  registerExport(http.app, { ...asking, stores: { metrics, logs, traces }, audit: catalog });
  const deletableLogs = new ForgettingDeletions(logs, patterns);
  registerDeletionApi(http.app, { ...asking, stores: { metrics, logs: deletableLogs, traces }, audit: catalog });
  registerActiveQueries(http.app, asking);
  registerOpenapi(http.app, asking);
  registerFederate(http.app, { ...asking, store: metrics });
  registerSearchApi(http.app, { ...asking, store: metrics });
  registerRemoteRead(http.app, { ...asking, store: metrics });
  registerLokiApi(http.app, {
    ...asking,
    engine: logql,
    store: logs,
    deletion: { store: deletableLogs, audit: catalog },
    server: { ...server, services },
    feed: context.feed,
    hasPatterns: config.storage.patterns.enabled,
  });
  registerLokiPatterns(http.app, { ...asking, patterns, store: logs });
  registerLogsApi(http.app, { ...asking, engine: logql, logs, traces, metrics, patterns });
  registerTempoApi(http.app, { ...asking, store: traces });
  registerJaegerApi(http.app, { ...asking, store: traces });

  const warmUp = {
    config,
    logger: logger("server"),
    maxDelayMs: MAX_WARM_UP_DELAY_MS,
    gate,
    memory: memory.queries,
    store: storage.metrics.store,
    logs,
  };
  return { first: [queryLog], components: config.query.warm_up ? [new WarmUp(warmUp)] : [] };
}

function promEngine(context: PartContext, queries: QueryMemory): PromEngine {
  const { config, registry, memory, stores, shared } = context;
  const { metrics } = stores;
  const cacheConfig = config.query.results_cache;
  const ownCache = new MemoryResultsCache({ maxBytes: cacheConfig.max_bytes, registry });
  memory.add(ownCache.memoryPart);
  // What is in files of this process is nobody else's.
  const isShared = shared.results && config.storage.metrics.kind !== "embedded";
  const cache = isShared ? new SharedResultsCache(ownCache, shared.results) : ownCache;
  // Without word of changes a kept result could be wrong.
  const { changes } = metrics;
  const rangeCache =
    changes && cacheConfig.enabled ? new RangeCache({ cache, changes, config: cacheConfig, registry }) : undefined;
  return new PromEngine({ queryable: metrics, limits: config.query, registry, rangeCache, memory: queries });
}

/** Where nobody counts patterns of what comes in, they are found in the lines that a query selects. */
function uncountedPatterns({ config, logger, registry, dir }: PartContext): LogPatternStore {
  return new EmbeddedPatternStore({
    logger: logger("storage"),
    registry,
    dir: dir("patterns"),
    config: { ...config.storage.patterns, enabled: false },
    levels: recordLevels(),
    hasOlderLogs: true,
  });
}

function registerCopy(
  { config, http, storage, catalog, alerting }: PartContext & { readonly alerting?: Copyable | undefined },
  asking: QueryApiDeps,
): void {
  if (!catalog) return;
  const parts = {
    metrics: storage.metrics.copyable,
    logs: storage.logs.copyable,
    traces: storage.traces.copyable,
    catalog: catalog.copyable,
    alerting,
  };
  registerCopyRoute(http.app, { ...asking, parts, audit: catalog.catalog, dataDir: config.data_dir });
}

function countCuts(registry: Registry): void {
  new Gauge({
    name: "sightline_regex_cut_texts",
    help: "Texts of which a regular expression saw only the beginning, since the start (query.max_regex_work).",
    registers: [registry],
    collect() {
      this.set(countCutTexts());
    },
  });
}

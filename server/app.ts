import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { HeaderAuthenticator } from "@sightline/auth/header-authenticator.ts";
import { KeyAuthenticator } from "@sightline/auth/key-authenticator.ts";
import { KeyRing } from "@sightline/auth/key-ring.ts";
import { assertListenIsSafe } from "@sightline/auth/listen-guard.ts";
import { DeadLetters } from "@sightline/collector/dead-letters/dead-letters.ts";
import { decoderOptions } from "@sightline/collector/decoder-options.ts";
import { Ingest } from "@sightline/collector/ingest.ts";
import { LiveLogs } from "@sightline/collector/live-logs.ts";
import { MinedLogs } from "@sightline/collector/mined-logs.ts";
import { registerLokiPush } from "@sightline/collector/receivers/loki-push.ts";
import { OtlpGrpcReceiver } from "@sightline/collector/receivers/otlp-grpc.ts";
import { registerOtlpHttp } from "@sightline/collector/receivers/otlp-http.ts";
import { registerRemoteWrite } from "@sightline/collector/receivers/remote-write.ts";
import { WriteAheadLog } from "@sightline/collector/wal/write-ahead-log.ts";
import type { Config } from "@sightline/config/schema.ts";
import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Authenticator, Component, KeyCatalog } from "@sightline/model/ports.ts";
import { countCutTexts, limitRegexWork } from "@sightline/model/regex.ts";
import { TextSealer } from "@sightline/model/sealed-text.ts";
import { SYSTEM_TENANT } from "@sightline/model/tenant.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { QueryLog } from "@sightline/query/active-queries/query-log.ts";
import { QueryTracker } from "@sightline/query/active-queries/query-tracker.ts";
import { registerActiveQueries } from "@sightline/query/active-queries/routes.ts";
import { registerDeletionApi } from "@sightline/query/deletion/routes.ts";
import { registerExport } from "@sightline/query/export/routes.ts";
import { registerFederate } from "@sightline/query/federate/routes.ts";
import { QueryGate } from "@sightline/query/http/query-gate.ts";
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
import { registerReveal } from "@sightline/query/reveal/routes.ts";
import { registerSearchApi } from "@sightline/query/search/routes.ts";
import { registerTempoApi } from "@sightline/query/tempo-api/routes.ts";
import { EmbeddedPatternStore } from "@sightline/storage-embedded/patterns/embedded-pattern-store.ts";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { registerCopyRoute } from "./backup/copy-route.ts";
import { type CatalogStorage, catalogStorage } from "./catalog-storage.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { DATA_LAYOUT } from "./data-layout.ts";
import { assertNothingIsGone, rememberDirectories } from "./data-layout-guard.ts";

import { HttpListener, splitHostPort } from "./http-listener.ts";
import { Logging } from "./logging.ts";
import { fitConfig } from "./memory/fit-config.ts";
import { MemoryGuard } from "./memory/memory-guard.ts";
import { memoryLimit } from "./memory/memory-limit.ts";
import { heapLimitBytes } from "./memory/relaunch.ts";
import { metricStorage } from "./metric-storage.ts";
import { registerOperations } from "./operations-routes.ts";
import { logStorage, traceStorage } from "./row-storage.ts";
import { OwnLogs } from "./self-telemetry/own-logs.ts";
import { OwnMetrics } from "./self-telemetry/own-metrics.ts";
import { OwnTraces } from "./self-telemetry/own-traces.ts";
import type { SubmitOwn } from "./self-telemetry/submit.ts";
import { serverFacts } from "./server-facts.ts";
import { ReloadingServerCredentials } from "./tls/reloading-server-credentials.ts";
import { TlsFiles } from "./tls/tls-files.ts";
import { VERSION } from "./version.ts";
import { WarmUp } from "./warm-up/warm-up.ts";

/** Long enough for whoever sends several requests a second. */
const DRAIN_MS = 300;
/** It blocks the event loop. What could not be written by then is tried again. */
const CATALOG_BUSY_TIMEOUT_MS = 50;
/** So long a start waits for the first part of the warm-up. */
const MAX_WARM_UP_DELAY_MS = 250;

/**
 * All the wiring: which class stands behind which port, and in which order things start. Read it to see the whole:
 * receivers → ingest (decode, write-ahead log) → stores → engines → HTTP APIs.
 */
export class App {
  readonly #config: Config;
  readonly #logging: Logging;
  readonly #registry = new Registry();
  readonly #memory: MemoryGuard;
  /** In the order they start; stopped in reverse. */
  readonly #components: Component[] = [];
  readonly #http: HttpListener;
  #addresses: () => Readonly<Record<string, string>> = () => ({});
  #unlock: (() => void) | undefined;
  #notReady: string | undefined = "starting";

  constructor(config: Config) {
    this.#logging = new Logging(config.log);
    this.#memory = this.#watchMemory(config);
    this.#config = fitConfig(config, this.#memory.limitBytes).config;
    this.#http = this.#wire();
  }

  get url(): string {
    return this.#http.url;
  }

  #wire(): HttpListener {
    const config = this.#config;
    const registry = this.#registry;
    const dir = (name: keyof typeof DATA_LAYOUT) => join(config.data_dir, DATA_LAYOUT[name]);
    const log = (name: string) => this.#logging.for(name);
    collectDefaultMetrics({ register: registry, prefix: "sightline_" });
    // Gauges under the names of counters: the sums of others that stay.
    for (const what of ["handles", "requests", "resources"]) {
      registry.removeSingleMetric(`sightline_nodejs_active_${what}_total`);
    }

    for (const key of ["listen", "otlp_grpc", "otlp_http"] as const) {
      assertListenIsSafe(key, splitHostPort(config[key]).host, config.auth);
    }
    const tls = this.#addTls();
    const catalogParts = this.#addCatalog();
    const { catalog } = catalogParts;
    const authenticator = this.#addAuthenticator(catalog);
    const sealer = readSealer(config.sealing_key_file);

    const storage = { logger: log("storage"), registry };
    const metricParts = metricStorage({ ...storage, config });
    const metrics = metricParts.store;
    const logParts = logStorage({ ...storage, config });
    const logs = logParts.store;
    const traceParts = traceStorage({ ...storage, config });
    const traces = traceParts.store;

    const collector = { logger: log("collector"), registry };
    const wal = new WriteAheadLog({ ...collector, dir: dir("wal"), config: config.collector.wal });
    const deadLetters = new DeadLetters({
      ...collector,
      dir: dir("deadLetters"),
      config: config.collector.dead_letters,
    });
    const patterns = new EmbeddedPatternStore({
      ...storage,
      dir: dir("patterns"),
      config: config.storage.patterns,
      levels: recordLevels(),
      hasOlderLogs: config.storage.logs.kind !== "embedded" || existsSync(dir("logs")),
    });
    const liveLogs = new LiveLogs(new MinedLogs(logs, patterns));
    const decoder = new Decoder(decoderOptions(config.collector));
    const ingest = new Ingest({
      ...collector,
      memory: this.#memory.writes,
      limitsDir: dir("limits"),
      wal,
      decoder,
      deadLetters,
      stores: { metrics, logs: liveLogs, traces },
      sealer,
      config: config.collector,
    });

    const cacheConfig = config.query.results_cache;
    // Without word of changes a kept result could be wrong.
    const { changes } = metrics;
    const cache = new MemoryResultsCache({ maxBytes: cacheConfig.max_bytes, registry });
    const rangeCache =
      changes && cacheConfig.enabled
        ? new RangeCache({
            cache,
            changes,
            config: cacheConfig,
            registry,
          })
        : undefined;
    const engine = new PromEngine({ queryable: metrics, limits: config.query, registry, rangeCache });

    const http = new HttpListener({ key: "listen", hostPort: config.listen, logger: log("server"), tls });
    const otlpHttp = new HttpListener({ key: "otlp_http", hostPort: config.otlp_http, logger: log("server"), tls });
    const receiving = { ingest, authenticator, config: config.collector, logger: log("collector") };
    const otlpGrpc = new OtlpGrpcReceiver({
      ...receiving,
      listen: config.otlp_grpc,
      credentials: tls && new ReloadingServerCredentials(tls),
    });
    this.#memory.add(...metrics.memoryParts, ...logs.memoryParts, ...traces.memoryParts, ...patterns.memoryParts);
    this.#memory.add(decoder.memoryPart, ...ingest.memoryParts, cache.memoryPart);
    this.#components.push(this.#memory, ...metricParts.components, logs, traces, patterns, wal, ingest);

    if (config.self_telemetry.enabled) this.#addSelfTelemetry(ingest, http);
    registerOperations(http.app, {
      registry,
      version: VERSION,
      notReady: () => this.#notReady,
      checkMetrics: (request) => {
        if (config.auth.metrics === "open") return;
        authenticator.authenticate(request.headers, "read", { owner: SYSTEM_TENANT, peer: request.ip });
      },
    });
    registerOtlpHttp(otlpHttp.app, receiving);
    registerOtlpHttp(http.app, receiving);
    registerLokiPush(http.app, receiving);
    registerRemoteWrite(http.app, receiving);
    limitRegexWork(config.query.max_regex_work);
    new Gauge({
      name: "sightline_regex_cut_texts",
      help: "Texts of which a regular expression saw only the beginning, since the start (query.max_regex_work).",
      registers: [registry],
      collect() {
        this.set(countCutTexts());
      },
    });
    const gate = new QueryGate({
      maxConcurrent: config.query.max_concurrency,
      maxConcurrentPerTenant: config.query.max_concurrency_per_tenant,
      maxCostlyPerTenant: config.query.max_costly_per_tenant,
      maxWaiting: config.query.max_waiting,
      registry,
      memory: this.#memory.queries,
    });
    const queryLog = new QueryLog({ config: config.query.log, logger: log("query"), registry });
    const { max_entries: maxTopQueries, window_ms: topWindowMs } = config.query.top_queries;
    const tracker = new QueryTracker({ log: queryLog, maxTopQueries, topWindowMs });
    this.#components.unshift(queryLog);
    const buildInfo = { version: VERSION, revision: "" };
    const asking = { authenticator, gate, config: config.query, logger: log("query"), tracker, buildInfo, registry };
    const server = serverFacts(config, Date.now(), this.#memory.limitBytes);
    registerPrometheusApi(http.app, {
      ...asking,
      engine,
      store: metrics,
      server,
      snapshotDir: (name) => join(dir("snapshots"), name, DATA_LAYOUT.metrics),
    });
    registerReveal(http.app, { ...asking, sealer, hasKeys: config.auth.mode === "keys" });
    const parts = {
      metrics: metricParts.copyable,
      logs: logParts.copyable,
      traces: traceParts.copyable,
      catalog: catalogParts.copyable,
    };
    registerCopyRoute(http.app, { ...asking, parts, audit: catalog, dataDir: config.data_dir });
    registerExport(http.app, { ...asking, stores: { metrics, logs, traces }, audit: catalog });
    const deletableLogs = new ForgettingDeletions(logs, patterns);
    registerDeletionApi(http.app, {
      ...asking,
      stores: { metrics, logs: deletableLogs, traces },
      audit: catalog,
    });
    registerActiveQueries(http.app, asking);
    registerOpenapi(http.app, asking);
    registerFederate(http.app, { ...asking, store: metrics });
    registerSearchApi(http.app, { ...asking, store: metrics });
    registerRemoteRead(http.app, { ...asking, store: metrics });
    const logql = new LogqlEngine({ store: logs, limits: config.query.logs });
    registerLokiApi(http.app, {
      ...asking,
      engine: logql,
      store: logs,
      deletion: { store: deletableLogs, audit: catalog },
      server: { ...server, services: () => this.#services() },
      feed: liveLogs,
      hasPatterns: config.storage.patterns.enabled,
    });
    registerLokiPatterns(http.app, { ...asking, patterns, store: logs });
    registerLogsApi(http.app, { ...asking, engine: logql, logs, traces, metrics, patterns });
    registerTempoApi(http.app, { ...asking, store: traces });
    registerJaegerApi(http.app, { ...asking, store: traces });

    if (config.query.warm_up) {
      const maxDelayMs = MAX_WARM_UP_DELAY_MS;
      this.#components.push(
        new WarmUp({
          config,
          logger: log("server"),
          maxDelayMs,
          ...(metricParts.embedded && { store: metricParts.embedded }),
        }),
      );
    }
    this.#components.push(otlpGrpc, otlpHttp, http);
    this.#addresses = () => ({ http: http.url, otlpGrpc: otlpGrpc.address, otlpHttp: otlpHttp.url });
    return http;
  }

  /** In Loki's words. */
  #services(): ReadonlyMap<string, string> {
    const state = this.#notReady === undefined ? "Running" : this.#notReady === "stopping" ? "Stopping" : "Starting";
    return new Map(this.#components.map(({ name }) => [name, state]));
  }

  #watchMemory(config: Config): MemoryGuard {
    const logger = this.#logging.for("server");
    const limit = memoryLimit(config.memory_limit);
    const { lowered } = fitConfig(config, limit.bytes);
    logger.info("memory", { limit, heapLimitBytes: heapLimitBytes(), ...(lowered.length > 0 && { lowered }) });
    // Given to this process by relaunchWithinMemory.
    const collectGarbage = globalThis.gc && (() => globalThis.gc?.());
    return new MemoryGuard({ limitBytes: limit.bytes, registry: this.#registry, logger, collectGarbage });
  }

  #addTls(): TlsFiles | undefined {
    const { tls } = this.#config;
    if (tls.cert_file === "") return undefined;
    const files = new TlsFiles({ config: tls, logger: this.#logging.for("server"), registry: this.#registry });
    this.#components.push(files);
    return files;
  }

  #addCatalog(): CatalogStorage {
    const [logger, registry] = [this.#logging.for("storage"), this.#registry];
    const parts = catalogStorage({ config: this.#config, logger, registry, busyTimeoutMs: CATALOG_BUSY_TIMEOUT_MS });
    this.#components.push(...parts.components);
    return parts;
  }

  #addAuthenticator(catalog: KeyCatalog): Authenticator {
    const { auth } = this.#config;
    if (auth.mode === "none") return new HeaderAuthenticator();
    const ring = new KeyRing({ catalog, logger: this.#logging.for("auth") });
    this.#components.push(ring);
    return new KeyAuthenticator({ ring, config: auth, registry: this.#registry });
  }

  /** The process' own signals take the same way as everybody's, as tenant `system`. */
  #addSelfTelemetry(ingest: Ingest, http: HttpListener): void {
    const submit: SubmitOwn = async (protocol, body) => {
      await ingest.submit({ tenant: SYSTEM_TENANT, protocol, encoding: "identity", receivedAtMs: Date.now(), body });
    };
    const own = {
      submit,
      registry: this.#registry,
      resource: { version: VERSION, instance: `${hostname()}:${process.pid}` },
    };
    const log = this.#logging.for("server");
    const traces = new OwnTraces(own);
    traces.trace(http.app);
    this.#components.push(
      new OwnLogs({ ...own, logging: this.#logging }),
      new OwnMetrics({
        ...own,
        intervalMs: this.#config.self_telemetry.interval_ms,
        onFailure: (error) => log.warn("own metrics were not kept", { error }),
      }),
      traces,
    );
  }

  /** Resolves when traffic is accepted on every address. Throws what the first failing component threw. */
  async start(): Promise<void> {
    const began = performance.now();
    this.#unlock = lockDataDir(this.#config.data_dir);
    assertNothingIsGone(this.#config.data_dir);
    for (const component of this.#components) {
      this.#notReady = `starting ${component.name}`;
      await component.start();
    }
    await rememberDirectories(this.#config.data_dir, [DATA_LAYOUT.metrics, DATA_LAYOUT.logs, DATA_LAYOUT.traces]);
    this.#notReady = undefined;
    const ms = Math.round(performance.now() - began);
    this.#logging.for("server").info("accepting traffic", { ...this.#addresses(), version: VERSION, ms });
  }

  announceStop(signal: string): void {
    this.#notReady = "stopping";
    this.#logging.for("server").info("stopping: draining requests, then flushing to disk", { signal });
  }

  /** Gives clients the time to learn, with an answer, that they have to connect elsewhere. */
  async drain(): Promise<void> {
    const listeners = this.#components.filter((component) => component instanceof HttpListener);
    await Promise.all(listeners.map((listener) => listener.drain(DRAIN_MS)));
  }

  /** Stops in reverse order: first nothing new comes in, then what is in is made durable. Goes on after a failure. */
  async stop(): Promise<void> {
    for (const component of this.#components.toReversed()) {
      try {
        this.#logging.for("server").debug("stopping", { component: component.name });
        await component.stop();
      } catch (error) {
        this.#logging.for("server").error("a component did not stop cleanly", { component: component.name, error });
      }
    }
    this.#unlock?.();
    this.#unlock = undefined;
  }
}

/** Throws `InvalidInputError` when the file can't be read or is wrong. */
function readSealer(path: string): TextSealer | undefined {
  if (path === "") return undefined;
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new InvalidInputError(`sealing_key_file: ${(cause as Error).message}`, { cause });
  }
  return new TextSealer(text, path);
}

import { hostname } from "node:os";
import { join } from "node:path";
import { PublishedRules } from "@sightline/alerting/rules/published-rules.ts";
import { HeaderAuthenticator } from "@sightline/auth/header-authenticator.ts";
import { KeyAuthenticator } from "@sightline/auth/key-authenticator.ts";
import { KeyRing } from "@sightline/auth/key-ring.ts";
import { assertListenIsSafe } from "@sightline/auth/listen-guard.ts";
import type { Ingest } from "@sightline/collector/ingest.ts";
import type { Config } from "@sightline/config/schema.ts";
import type { Authenticator } from "@sightline/model/access.ts";
import type { Component, Dependency } from "@sightline/model/ports.ts";
import type { RuleStates } from "@sightline/model/rules.ts";
import { TextSealer } from "@sightline/model/sealed-text.ts";
import { SYSTEM_TENANT } from "@sightline/model/tenant.ts";
import { readSettingFile } from "@sightline/settings/setting-file.ts";
import { collectDefaultMetrics, Registry } from "prom-client";
import { type AlertingPart, alertingPart } from "./alerting/alerting-part.ts";
import { type AlertmanagerPart, serveAlertmanager } from "./alerting/alertmanager-part.ts";
import { type CatalogStorage, catalogStorage } from "./catalog-storage.ts";
import { collectorPart } from "./collector-part.ts";
import { lockDataDir } from "./data-dir-lock.ts";
import { DATA_LAYOUT } from "./data-layout.ts";
import { assertNothingIsGone, rememberDirectories } from "./data-layout-guard.ts";
import { DependencyMonitor, type DependencyStatus } from "./dependencies/dependency-monitor.ts";
import { HttpListener, splitHostPort } from "./http-listener.ts";
import { Logging } from "./logging.ts";
import { fitConfig } from "./memory/fit-config.ts";
import { MemoryGuard } from "./memory/memory-guard.ts";
import { memoryLimit } from "./memory/memory-limit.ts";
import { heapLimitBytes } from "./memory/relaunch.ts";
import { metricStorage } from "./metric-storage.ts";
import { registerOperations } from "./operations-routes.ts";
import type { PartContext } from "./part-context.ts";
import { queryEngines, queryPart } from "./query-part.ts";
import { logStorage, traceStorage } from "./row-storage.ts";
import { OwnLogs } from "./self-telemetry/own-logs.ts";
import { OwnMetrics } from "./self-telemetry/own-metrics.ts";
import { OwnTraces } from "./self-telemetry/own-traces.ts";
import type { SubmitOwn } from "./self-telemetry/submit.ts";
import { type SharedState, sharedState } from "./shared-state.ts";
import { assertTargetsWork, keepsLog, type Targets, targetsOf } from "./targets.ts";
import { TlsFiles } from "./tls/tls-files.ts";
import { VERSION } from "./version.ts";

/** Long enough for whoever sends several requests a second. */
const DRAIN_MS = 300;
/** It blocks the event loop. What could not be written by then is tried again. */
const CATALOG_BUSY_TIMEOUT_MS = 50;

/**
 * All the wiring: which class stands behind which port, and in which order things start. Read it, and then
 * `collector-part.ts` and `query-part.ts`, to see the whole: receivers → ingest (decode, write-ahead log) → stores → engines →
 * HTTP APIs. Which parts there are says `--target`.
 */
export class App {
  readonly #config: Config;
  readonly #targets: Targets;
  readonly #logging: Logging;
  readonly #registry = new Registry();
  readonly #memory: MemoryGuard;
  /** In the order they start; stopped in reverse. */
  readonly #components: Component[] = [];
  readonly #http: HttpListener;
  #addresses: () => Readonly<Record<string, string>> = () => ({});
  #alerting: AlertingPart | undefined;
  #alertmanager: AlertmanagerPart | undefined;
  #unlock: (() => void) | undefined;
  #notReady: string | undefined = "starting";

  /** Throws `InvalidInputError` when the settings can't work together. */
  constructor(config: Config) {
    assertTargetsWork(config);
    this.#targets = targetsOf(config);
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
    const logger = (name: string) => this.#logging.for(name);
    collectDefaultMetrics({ register: registry, prefix: "sightline_" });
    // Gauges under the names of counters: the sums of others that stay.
    for (const what of ["handles", "requests", "resources"]) {
      registry.removeSingleMetric(`sightline_nodejs_active_${what}_total`);
    }
    const keys = this.#targets.collector ? (["listen", "otlp_grpc", "otlp_http"] as const) : (["listen"] as const);
    for (const key of keys) assertListenIsSafe(key, splitHostPort(config[key]).host, config.auth);

    const tls = this.#addTls();
    const catalog = this.#addCatalog();
    const authenticator = this.#addAuthenticator(catalog);
    const http = new HttpListener({ key: "listen", hostPort: config.listen, logger: logger("server"), tls });
    const context: PartContext = {
      config,
      registry,
      logger,
      memory: this.#memory,
      http,
      tls,
      authenticator,
      sealer: readSealer(config.sealing_key_file),
      catalog,
      shared: this.#addShared(),
      ...this.#addStores(),
      dir: (name) => join(config.data_dir, DATA_LAYOUT[name]),
    };
    const dependencies = new DependencyMonitor({
      dependencies: dependenciesOf(context),
      logger: logger("server"),
      registry,
    });
    this.#components.push(dependencies);
    const { collector: receives } = this.#targets;
    const collector = keepsLog(this.#targets) ? collectorPart(context, { receives }) : undefined;
    this.#components.push(...(collector?.components ?? []));
    const tail = context.shared.tail?.(collector?.feed);
    this.#components.push(...(tail?.components ?? []));
    if (collector && config.self_telemetry.enabled) this.#addSelfTelemetry(collector.ingest, http);
    registerOperations(http.app, {
      registry,
      version: VERSION,
      notReady: () => this.#notReady ?? this.#missing(dependencies.statuses),
      dependencies: () => dependencies.statuses,
      reload: () => this.reload(),
      checkReload: (request) => authenticator.authenticate(request.headers, "admin", { peer: request.ip }),
      checkStatus: (request) => authenticator.authenticate(request.headers, "read", { peer: request.ip }),
      checkMetrics: (request) => {
        if (config.auth.metrics === "open") return;
        authenticator.authenticate(request.headers, "read", { owner: SYSTEM_TENANT, peer: request.ip });
      },
    });
    if (this.#targets.alerting) {
      this.#alertmanager = serveAlertmanager(context);
      this.#components.push(...this.#alertmanager.components);
    }
    // Both need it, so it is there.
    const engines = catalog && (this.#targets.query || this.#targets.alerting) ? queryEngines(context) : undefined;
    if (this.#targets.query && catalog && engines) {
      const feed = tail?.feed ?? collector?.feed;
      const alerting = this.#alertmanager?.copyable;
      const queryContext = { ...context, catalog, engines, feed, alerting, rules: this.#ruleStates(context.shared) };
      const query = queryPart(queryContext, collector, () => this.#services());
      this.#components.unshift(...query.first);
      this.#components.push(...query.components);
    }
    if (collector && catalog && engines && this.#targets.alerting && config.alerting.rules.enabled) {
      const sinks = this.#alertmanager ? [this.#alertmanager.alertmanagers] : [];
      this.#alerting = alertingPart({ ...context, catalog }, { query: engines, ingest: collector.ingest, sinks });
      this.#components.push(...this.#alerting.components);
    }
    this.#components.push(...(collector?.receivers ?? []), http);
    this.#addresses = () => ({ http: http.url, ...collector?.addresses() });
    return http;
  }

  /** Queries show them, and are what they ask: known once both are there. */
  #ruleStates({ publishedRules }: SharedState): RuleStates {
    const others = publishedRules && new PublishedRules(publishedRules);
    const states = () => this.#alerting?.states ?? others;
    return {
      groups: (tenant) => states()?.groups(tenant) ?? [],
      get alertmanagers() {
        return states()?.alertmanagers ?? [];
      },
    };
  }

  /** Without a write-ahead log there is nothing to do until a first store has answered; settings may be wrong. */
  #missing(dependencies: readonly DependencyStatus[]): string | undefined {
    const stores = dependencies.filter(({ purpose }) => purpose !== "cache");
    if (keepsLog(this.#targets) || stores.some(({ answeredAtMs }) => answeredAtMs !== undefined)) return undefined;
    const names = stores.map(({ name, purpose, error }) => `${name} (${purpose}): ${error ?? "not asked yet"}`);
    return `no database has answered yet: ${names.join("; ")}`;
  }

  #addShared(): SharedState {
    const [logger, registry] = [this.#logging.for("storage"), this.#registry];
    const shared = sharedState({ config: this.#config, logger, registry });
    this.#components.push(...shared.components);
    return shared;
  }

  #addStores(): Pick<PartContext, "stores" | "storage"> {
    const options = { config: this.#config, logger: this.#logging.for("storage"), registry: this.#registry };
    const storage = {
      metrics: metricStorage(options),
      logs: logStorage(options),
      traces: traceStorage(options),
    };
    const stores = { metrics: storage.metrics.store, logs: storage.logs.store, traces: storage.traces.store };
    for (const { memoryParts } of Object.values(stores)) this.#memory.add(...memoryParts);
    this.#components.push(this.#memory, ...storage.metrics.components, stores.logs, stores.traces);
    return { stores, storage };
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
    const file = (key: "cert_file" | "key_file" | "client_ca_file") => ({ setting: `tls.${key}`, path: tls[key] });
    const files = new TlsFiles({
      cert: file("cert_file"),
      key: file("key_file"),
      ca: file("client_ca_file"),
      minVersion: tls.min_version,
      logger: this.#logging.for("server"),
      registry: this.#registry,
    });
    this.#components.push(files);
    return files;
  }

  #addCatalog(): CatalogStorage | undefined {
    const { auth } = this.#config;
    if (auth.mode === "none" && !this.#targets.query && !this.#targets.alerting) return undefined;
    const [logger, registry] = [this.#logging.for("storage"), this.#registry];
    const parts = catalogStorage({ config: this.#config, logger, registry, busyTimeoutMs: CATALOG_BUSY_TIMEOUT_MS });
    this.#components.push(...parts.components);
    return parts;
  }

  #addAuthenticator(catalog: CatalogStorage | undefined): Authenticator {
    const { auth } = this.#config;
    if (auth.mode === "none" || !catalog) return new HeaderAuthenticator();
    const ring = new KeyRing({ catalog: catalog.catalog, logger: this.#logging.for("auth") });
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
    const traces = new OwnTraces({ ...own, quickPerSecond: this.#config.self_telemetry.quick_spans_per_second });
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
    const { data_dir } = this.#config;
    // Otherwise nothing is kept here.
    if (keepsLog(this.#targets)) {
      this.#unlock = lockDataDir(data_dir);
      assertNothingIsGone(data_dir);
    }
    for (const component of this.#components) {
      this.#notReady = `starting ${component.name}`;
      await component.start();
    }
    if (keepsLog(this.#targets)) {
      await rememberDirectories(data_dir, [DATA_LAYOUT.metrics, DATA_LAYOUT.logs, DATA_LAYOUT.traces]);
    }
    this.#notReady = undefined;
    const ms = Math.round(performance.now() - began);
    this.#logging.for("server").info("accepting traffic", { ...this.#addresses(), version: VERSION, ms });
  }

  /** Reads again what may change while it runs. Throws `InvalidInputError`; what was read before counts on then. */
  async reload(): Promise<void> {
    await this.#alerting?.reload();
    await this.#alertmanager?.alertmanagers.reload();
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

function dependenciesOf({ storage, catalog, shared }: PartContext): readonly Dependency[] {
  const { metrics, logs, traces } = storage;
  return [metrics, logs, traces, catalog, shared].flatMap((part) => part?.dependencies ?? []);
}

/** Throws `InvalidInputError` when the file can't be read or is wrong. */
function readSealer(path: string): TextSealer | undefined {
  return path === "" ? undefined : new TextSealer(readSettingFile(path, "sealing_key_file"), path);
}

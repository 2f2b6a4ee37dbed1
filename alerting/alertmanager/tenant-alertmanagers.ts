import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InvalidInputError, LimitError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { readSecret } from "@sightline/settings/setting-file.ts";
import { Gauge, type Registry } from "prom-client";
import type { AlertSink, PostedAlert } from "../alert-sink.ts";
import { Alertmanager, type ReplicaFeed } from "./alertmanager.ts";
import { AlertmanagerMetrics } from "./alertmanager-metrics.ts";
import { AlertmanagerCluster } from "./cluster/alertmanager-cluster.ts";
import type { ClusterUpdate } from "./cluster/cluster-message.ts";
import type { ClusterTls } from "./cluster/cluster-tls.ts";
import type { FlapLimits } from "./flapping/flap-record.ts";
import type { Decision, DecisionSink } from "./history/decision.ts";
import type { MatcherSyntax } from "./matchers/matcher-syntax.ts";
import type { Replicas } from "./pipeline/notification-pipeline.ts";
import { Slots } from "./pipeline/slots.ts";
import type { ReceiverBuilder } from "./receiver-builder.ts";
import type { AlertmanagerSettings } from "./settings.ts";
import { silenceState } from "./silences/silence.ts";
import { readPostedConfig } from "./stored-configs/posted-config.ts";
import type { StoredConfigs } from "./stored-configs/stored-configs.ts";

/** Keeps decisions of all tenants. */
export interface TenantDecisions {
  record(tenant: TenantId, decision: Decision): void;
}

export type TenantAlertmanagersOptions = {
  /** A directory per tenant is below it. */
  readonly dir: string;
  readonly settings: AlertmanagerSettings;
  readonly syntax: MatcherSyntax;
  readonly receivers: ReceiverBuilder;
  readonly decisions: TenantDecisions;
  /** Configurations that tenants have put; they count in place of files. Started and stopped here. */
  readonly stored?: StoredConfigs | undefined;
  /** With which replicas speak to each other; undefined: they do in plain HTTP. Started and stopped by whoever made it. */
  readonly clusterTls?: ClusterTls | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** What a tenant has that nobody has configured: its alerts are seen and silenced, and lead nowhere. */
const NO_CONFIG = "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n";
const RECORDS_PER_UPDATE = 500;
const ALONE: Replicas = { settled: async () => {}, waitMs: () => 0 };

/** The Alertmanagers of all tenants. One of a tenant that nothing was heard of is made when it is first asked for. */
export class TenantAlertmanagers implements Component, AlertSink {
  readonly name = "alertmanager";
  readonly #options: TenantAlertmanagersOptions;
  readonly #metrics: AlertmanagerMetrics;
  readonly #slots: Slots;
  readonly #cluster: AlertmanagerCluster | undefined;
  readonly #tenants = new Map<TenantId, Promise<Alertmanager>>();
  readonly #ready = new Map<TenantId, Alertmanager>();

  constructor(options: TenantAlertmanagersOptions) {
    this.#options = options;
    const { settings, registry, receivers } = options;
    this.#metrics = new AlertmanagerMetrics(registry);
    this.#metrics.initialise(receivers.kinds);
    this.#slots = new Slots(settings.max_concurrent_notifications);
    this.#cluster = settings.cluster.listen === "" ? undefined : this.#makeCluster();
    this.#exposeState(registry);
  }

  /** Throws `InvalidInputError` when a configuration is wrong: better no start than nobody notified. */
  async start(): Promise<void> {
    const { stored, dir } = this.#options;
    await stored?.start((tenants) => this.#storedChanged(tenants));
    const known = await readdir(dir).catch(() => []);
    const configured = [...(await this.#configuredTenants()), ...(stored?.tenants ?? [])];
    for (const name of new Set([DEFAULT_TENANT, ...known, ...configured])) await this.of(tenantId(name));
    this.#metrics.reloaded(true);
    await this.#cluster?.start();
  }

  async stop(): Promise<void> {
    await this.#options.stored?.stop();
    await this.#cluster?.stop();
    const alertmanagers = await Promise.allSettled(this.#tenants.values());
    for (const result of alertmanagers) if (result.status === "fulfilled") await result.value.stop();
    this.#tenants.clear();
    this.#ready.clear();
  }

  /** Throws `LimitError` when there are too many tenants. */
  of(tenant: TenantId): Promise<Alertmanager> {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    const { max_tenants: maxTenants } = this.#options.settings;
    if (this.#tenants.size >= maxTenants) {
      throw new LimitError(`there are ${maxTenants} tenants already (alerting.alertmanager.max_tenants)`);
    }
    const made = this.#make(tenant);
    this.#tenants.set(tenant, made);
    // The next one who asks tries again.
    made.then(
      (alertmanager) => this.#ready.set(tenant, alertmanager),
      () => this.#tenants.delete(tenant),
    );
    return made;
  }

  async post(tenant: TenantId, alerts: readonly PostedAlert[]): Promise<void> {
    await (await this.of(tenant)).post(alerts);
  }

  /** Reads all configurations again. Throws `InvalidInputError` when one is wrong; it stays as it was, others are taken. */
  async reload(): Promise<void> {
    const errors: string[] = [];
    for (const tenant of await this.#configuredTenants()) await this.of(tenantId(tenant)).catch(() => {});
    for (const [tenant, alertmanager] of this.#ready) {
      try {
        await this.#load(tenant, alertmanager);
      } catch (error) {
        if (!(error instanceof InvalidInputError)) throw error;
        errors.push(error.message);
      }
    }
    this.#metrics.reloaded(errors.length === 0);
    const { logger } = this.#options;
    if (errors.length === 0) return logger.info("the alertmanager's configuration was read again");
    logger.error("the alertmanager's configuration is wrong, the last one stays", { errors });
    throw new InvalidInputError(errors.join("\n"));
  }

  /**
   * Copies silences, notifications and alerts of all tenants below `path`. What a file was given before the call is in its copy:
   * it is appended to, or replaced as a whole; half a line at the end of a copy is left out when it is read.
   */
  async copyTo(path: string): Promise<void> {
    for (const tenant of await readdir(this.#options.dir).catch(() => [])) {
      await mkdir(join(path, tenant), { recursive: true });
      for (const file of await readdir(join(this.#options.dir, tenant))) {
        if (!file.endsWith(".new")) await copyFile(join(this.#options.dir, tenant, file), join(path, tenant, file));
      }
    }
  }

  /** openapi.yaml: clusterStatus. */
  clusterStatus(): unknown {
    if (!this.#cluster) return { status: "disabled", peers: [] };
    const { name, isSettled, members } = this.#cluster;
    return { name, status: isSettled ? "ready" : "settling", peers: members };
  }

  async #make(tenant: TenantId): Promise<Alertmanager> {
    const { settings, decisions } = this.#options;
    const alertmanager = new Alertmanager({
      ...this.#options,
      dir: join(this.#options.dir, tenant),
      limits: {
        maxAlerts: settings.max_alerts,
        maxGroups: settings.max_groups,
        maxSilences: settings.max_silences,
        maxSilenceBytes: settings.max_silence_bytes,
        retentionMs: settings.retention_ms,
        dispatchDelayMs: settings.dispatch_delay_ms,
        flapping: flapLimits(settings.flapping),
      },
      replicas: this.#cluster ?? ALONE,
      feed: this.#feedOf(tenant),
      slots: this.#slots,
      metrics: this.#metrics,
      decisions: { record: (decision) => decisions.record(tenant, decision) } satisfies DecisionSink,
    });
    await alertmanager.start();
    await this.#load(tenant, alertmanager);
    return alertmanager;
  }

  /** What one tenant has put can't keep the others, or the server, from their work. */
  async #storedChanged(tenants: readonly TenantId[]): Promise<void> {
    for (const tenant of tenants) {
      try {
        const known = this.#ready.get(tenant);
        if (known) await this.#load(tenant, known);
        else await this.of(tenant);
      } catch (error) {
        this.#options.logger.error("a configuration could not be taken into use, the last one stays", {
          tenant,
          error,
        });
      }
    }
  }

  async #load(tenant: TenantId, alertmanager: Alertmanager): Promise<void> {
    const stored = this.#options.stored?.of(tenant);
    if (!stored) return this.#loadFile(tenant, alertmanager);
    try {
      const { config, templates } = readPostedConfig(stored.text, this.#options.settings.config_api);
      await alertmanager.load(config, { templates });
    } catch (error) {
      if (!(error instanceof InvalidInputError)) throw error;
      // It was checked when it was put, by another release or under other limits.
      this.#options.logger.error("a configuration of the catalog is not valid", { tenant, error });
      if (!alertmanager.isConfigured) await this.#loadFile(tenant, alertmanager);
    }
  }

  async #loadFile(tenant: TenantId, alertmanager: Alertmanager): Promise<void> {
    const path = this.#configPath(tenant);
    let text: string;
    try {
      text = path === undefined ? NO_CONFIG : await readFile(path, "utf8");
    } catch (cause) {
      const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT" && tenant !== DEFAULT_TENANT;
      if (!isMissing) throw new InvalidInputError(`${path}: ${(cause as Error).message}`, { cause });
      text = NO_CONFIG;
    }
    try {
      await alertmanager.load(text, { dir: path === undefined ? "." : dirname(path) });
    } catch (cause) {
      if (!(cause instanceof InvalidInputError)) throw cause;
      throw new InvalidInputError(`${path}: ${cause.message}`, { cause });
    }
  }

  #configPath(tenant: TenantId): string | undefined {
    const { config_file: file, tenant_config_dir: dir } = this.#options.settings;
    if (tenant === DEFAULT_TENANT && file !== "") return file;
    return dir === "" ? undefined : join(dir, `${tenant}.yml`);
  }

  async #configuredTenants(): Promise<readonly string[]> {
    const { tenant_config_dir: dir } = this.#options.settings;
    if (dir === "") return [];
    const names = await readdir(dir);
    return names.filter((name) => name.endsWith(".yml")).map((name) => name.slice(0, -".yml".length));
  }

  #feedOf(tenant: TenantId): ReplicaFeed {
    const tell = (update: Partial<ClusterUpdate>) =>
      this.#cluster?.broadcast({ tenant, silences: [], notifications: [], alerts: [], ...update } as ClusterUpdate);
    return {
      silence: (silence) => tell({ silences: [silence] as ClusterUpdate["silences"] }),
      notification: (entry) => tell({ notifications: [entry] as unknown as ClusterUpdate["notifications"] }),
      alerts: (alerts) => tell({ alerts: [...alerts] }),
    };
  }

  #makeCluster(): AlertmanagerCluster {
    const { cluster } = this.#options.settings;
    const colon = cluster.listen.lastIndexOf(":");
    return new AlertmanagerCluster({
      ...this.#options,
      host: cluster.listen.slice(0, colon).replace(/^\[|\]$/g, "") || "0.0.0.0",
      port: Number(cluster.listen.slice(colon + 1)),
      advertise: cluster.advertise,
      peers: cluster.peers,
      peerTimeoutMs: cluster.peer_timeout_ms,
      settleTimeoutMs: cluster.settle_timeout_ms,
      secret: readSecret(cluster.secret_file, "alerting.alertmanager.cluster.secret_file"),
      tls: this.#options.clusterTls,
      serverName: cluster.tls.server_name,
      state: { updates: () => this.#updates(), receive: (update) => this.#receive(update) },
    });
  }

  async *#updates(): AsyncGenerator<ClusterUpdate> {
    for (const [tenant, { silences, log, alerts }] of this.#ready) {
      const empty = { tenant, silences: [], notifications: [], alerts: [] };
      for (const part of chunks(silences.all)) yield { ...empty, silences: part } as unknown as ClusterUpdate;
      for (const part of chunks(log.entries)) yield { ...empty, notifications: part } as unknown as ClusterUpdate;
      const nowMs = Date.now();
      for (const part of chunks(alerts.all.filter(({ endsAtMs }) => endsAtMs > nowMs))) {
        yield { ...empty, alerts: part } as unknown as ClusterUpdate;
      }
    }
  }

  async #receive({ tenant, silences, notifications, alerts }: ClusterUpdate): Promise<void> {
    const alertmanager = await this.of(tenantId(tenant));
    await Promise.all([
      ...silences.map((silence) => alertmanager.silences.receive(silence)),
      ...notifications.map((entry) => alertmanager.receiveNotification(entry)),
    ]);
    if (alerts.length > 0) await alertmanager.receive(alerts);
  }

  #exposeState(registry: Registry): void {
    const all = () => [...this.#ready.values()];
    const gauge = (name: string, help: string, collect: (gauge: Gauge<"state">) => void, labelNames: "state"[] = []) =>
      new Gauge({
        name: `alertmanager_${name}`,
        help,
        labelNames,
        registers: [registry],
        collect() {
          collect(this);
        },
      });
    gauge(
      "silences",
      "How many silences by state.",
      (metric) => {
        const nowMs = Date.now();
        const states = all().flatMap(({ silences }) => silences.all.map((silence) => silenceState(silence, nowMs)));
        for (const state of ["active", "pending", "expired"] as const) {
          metric.set({ state }, states.filter((one) => one === state).length);
        }
      },
      ["state"],
    );
    gauge(
      "alerts",
      "How many alerts by state.",
      (metric) => {
        const nowMs = Date.now();
        let active = 0;
        let suppressed = 0;
        for (const { alerts, silences, inhibitor, flaps } of all()) {
          for (const { fingerprint, labels, endsAtMs } of alerts.all) {
            if (endsAtMs <= nowMs) continue;
            const isHeldBack =
              silences.silencesOf(fingerprint, labels, nowMs).length > 0 ||
              inhibitor.inhibitionOf(labels, nowMs) ||
              flaps?.flappingOf(fingerprint, nowMs);
            if (isHeldBack) suppressed++;
            else active++;
          }
        }
        metric.set({ state: "active" }, active);
        metric.set({ state: "suppressed" }, suppressed);
        metric.set({ state: "unprocessed" }, 0);
      },
      ["state"],
    );
    new Gauge({
      name: "sightline_alertmanager_flapping_alerts",
      help: "Alerts whose changes are held back because they flap.",
      registers: [registry],
      collect() {
        const nowMs = Date.now();
        this.set(all().reduce((sum, { flaps }) => sum + (flaps?.countFlapping(nowMs) ?? 0), 0));
      },
    });
    gauge("dispatcher_aggregation_groups", "Number of active aggregation groups", (metric) =>
      metric.set(all().reduce((sum, { dispatcher }) => sum + dispatcher.size, 0)),
    );
    gauge("config_hash", "Hash of the currently loaded alertmanager configuration.", (metric) =>
      metric.set(Number.parseInt(this.#ready.get(DEFAULT_TENANT)?.configHash.slice(0, 12) ?? "0", 16)),
    );
    gauge("cluster_enabled", "Indicates whether the clustering is enabled or not.", (metric) =>
      metric.set(this.#cluster ? 1 : 0),
    );
  }
}

function flapLimits(settings: AlertmanagerSettings["flapping"]): FlapLimits | undefined {
  const { enabled, changes, calm_changes: calmChanges, window_ms: windowMs, calm_ms: calmMs } = settings;
  return enabled ? { changes, calmChanges, windowMs, calmMs } : undefined;
}

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += RECORDS_PER_UPDATE) yield items.slice(i, i + RECORDS_PER_UPDATE);
}

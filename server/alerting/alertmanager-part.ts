import { join } from "node:path";
import { registerAlertmanagerConfigApi } from "@sightline/alerting/alertmanager/api/config-api.ts";
import { registerAlertmanagerOperations } from "@sightline/alerting/alertmanager/api/operations.ts";
import { registerAlertmanagerApi } from "@sightline/alerting/alertmanager/api/routes.ts";
import { ConfiguredReceivers } from "@sightline/alerting/alertmanager/configured-receivers.ts";
import { DecisionHistory } from "@sightline/alerting/alertmanager/history/decision-history.ts";
import { MatcherSyntax } from "@sightline/alerting/alertmanager/matchers/matcher-syntax.ts";
import type { AlertmanagerSettings, ClusterTlsSettings } from "@sightline/alerting/alertmanager/settings.ts";
import { StoredConfigs } from "@sightline/alerting/alertmanager/stored-configs/stored-configs.ts";
import { TenantAlertmanagers } from "@sightline/alerting/alertmanager/tenant-alertmanagers.ts";
import type { NotifyConfig } from "@sightline/alerting/notify/config.ts";
import { TargetGuard } from "@sightline/alerting/notify/http/target-guard.ts";
import { INTEGRATIONS } from "@sightline/alerting/notify/integrations.ts";
import { NotifyMetrics } from "@sightline/alerting/notify/notify-metrics.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component, Copyable } from "@sightline/model/ports.ts";
import type { Registry } from "prom-client";
import type { PartContext } from "../part-context.ts";
import { TlsFiles } from "../tls/tls-files.ts";
import { VERSION } from "../version.ts";

export type AlertmanagerPartOptions = {
  /** Its files. */
  readonly dir: string;
  readonly settings: AlertmanagerSettings;
  readonly notify: NotifyConfig;
  readonly externalUrl: () => string;
  readonly stored?: StoredConfigs | undefined;
  readonly logger: Logger;
  readonly registry: Registry;
};

export type AlertmanagerPart = {
  readonly alertmanagers: TenantAlertmanagers;
  readonly history: DecisionHistory;
  /** Silences, notifications, alerts, and why they were sent. */
  readonly copyable: Copyable;
  /** In the order they start. */
  readonly components: readonly Component[];
};

const TENANTS = "tenants";
/** How soon a configuration counts that another process was given. */
const CATALOG_WATCH_MS = 5_000;

/** Alertmanager: receivers → pipeline → groups, for each tenant; beside it, why it did what. */
export function alertmanagerPart(options: AlertmanagerPartOptions): AlertmanagerPart {
  const { settings, notify, logger, registry } = options;
  const receivers = new ConfiguredReceivers({
    kinds: INTEGRATIONS,
    config: notify,
    guard: new TargetGuard({ allowPrivateTargets: notify.allow_private_targets, allowedHosts: notify.allowed_hosts }),
    metrics: new NotifyMetrics(registry),
    logger,
    get externalUrl() {
      return options.externalUrl();
    },
  });
  const history = new DecisionHistory({ dir: options.dir, settings: settings.history, logger, registry });
  const clusterTls = clusterTlsFiles(settings.cluster.tls, logger, registry);
  const alertmanagers = new TenantAlertmanagers({
    dir: join(options.dir, TENANTS),
    settings,
    syntax: new MatcherSyntax(settings.matcher_syntax),
    receivers,
    decisions: history,
    stored: options.stored,
    clusterTls,
    logger,
    registry,
  });
  const copyTo = async (path: string) => {
    await alertmanagers.copyTo(join(path, TENANTS));
    await history.copyTo(path);
  };
  return {
    alertmanagers,
    history,
    copyable: { copyTo },
    components: [...(clusterTls ? [clusterTls] : []), history, alertmanagers],
  };
}

function clusterTlsFiles(tls: ClusterTlsSettings, logger: Logger, registry: Registry): TlsFiles | undefined {
  if (tls.cert_file === "") return undefined;
  const file = (key: "cert_file" | "key_file" | "ca_file") => ({
    setting: `alerting.alertmanager.cluster.tls.${key}`,
    path: tls[key],
  });
  const [cert, key, ca] = [file("cert_file"), file("key_file"), file("ca_file")];
  return new TlsFiles({ cert, key, ca, minVersion: "TLSv1.3", logger, registry });
}

/** The Alertmanager of the server: its APIs on `listen`, at the root and below `/alertmanager`, where Grafana asks. */
export function serveAlertmanager(context: PartContext): AlertmanagerPart {
  const { config, registry, http, authenticator, dir } = context;
  const { alertmanager: settings, notify } = config.alerting;
  const logger = context.logger("alerting");
  const externalUrl = () => settings.external_url || http.url;
  const catalog = settings.config_api.enabled ? context.catalog?.catalog : undefined;
  const stored = catalog && new StoredConfigs({ catalog, watchIntervalMs: CATALOG_WATCH_MS, logger });
  const part = alertmanagerPart({ dir: dir("alerting"), settings, notify, externalUrl, stored, logger, registry });
  const { alertmanagers, history } = part;
  if (catalog && stored) {
    const limits = settings.config_api;
    registerAlertmanagerConfigApi(http.app, { alertmanagers, catalog, stored, authenticator, limits, logger });
  }
  registerAlertmanagerOperations(http.app, "/alertmanager", { alertmanagers, authenticator });
  // Grafana's data source of Mimir's kind adds /alertmanager to an address that has it already for the configuration's sake.
  registerAlertmanagerApi(http.app, ["", "/alertmanager", "/alertmanager/alertmanager"], {
    alertmanagers,
    history,
    authenticator,
    syntax: new MatcherSyntax(settings.matcher_syntax),
    logger,
    version: VERSION,
    maxBodyBytes: settings.max_body_bytes,
  });
  return part;
}

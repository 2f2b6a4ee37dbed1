import type { AlertSink } from "@sightline/alerting/alert-sink.ts";
import { AlertNotifier } from "@sightline/alerting/rules/alert-notifier.ts";
import { AlertmanagerClient } from "@sightline/alerting/rules/alertmanager-client.ts";
import { CatalogRules } from "@sightline/alerting/rules/catalog-rules.ts";
import { EvaluationGate } from "@sightline/alerting/rules/evaluation-gate.ts";
import { RuleFiles } from "@sightline/alerting/rules/rule-files.ts";
import { RuleMetrics } from "@sightline/alerting/rules/rule-metrics.ts";
import { RulePublisher } from "@sightline/alerting/rules/rule-publisher.ts";
import { RuleReplicas } from "@sightline/alerting/rules/rule-replicas.ts";
import { RuleScheduler } from "@sightline/alerting/rules/rule-scheduler.ts";
import { ScheduledRuleStates } from "@sightline/alerting/rules/rule-states.ts";
import { registerRulerApi } from "@sightline/alerting/rules/ruler-api.ts";
import type { Ingest } from "@sightline/collector/ingest.ts";
import type { Component } from "@sightline/model/ports.ts";
import type { RuleStates } from "@sightline/model/rules.ts";
import type { CatalogStorage } from "../catalog-storage.ts";
import type { PartContext } from "../part-context.ts";
import type { QueryEngines } from "../query-part.ts";
import { EngineRuleEvaluator } from "./engine-rule-evaluator.ts";
import { IngestMetricWriter } from "./ingest-metric-writer.ts";
import { ruleFileReader } from "./rule-file-reader.ts";

/** How soon changes that another process made count. */
const CATALOG_WATCH_MS = 5_000;

/** What evaluates rules. */
export type AlertingPart = {
  /** In the order they start: after what they ask and write to. */
  readonly components: readonly Component[];
  readonly states: RuleStates;
  /** Reads all rule files again. Throws `InvalidInputError`; the rules stay as they were then. */
  reload(): Promise<void>;
};

/** `sinks` are told of alerts beside those that the configuration names. */
export function alertingPart(
  context: PartContext & { readonly catalog: CatalogStorage },
  parts: {
    readonly query: QueryEngines;
    readonly ingest: Ingest;
    readonly sinks: readonly AlertSink[];
  },
): AlertingPart {
  const { config, registry, stores } = context;
  const rules = config.alerting.rules;
  const logger = context.logger("alerting");
  const evaluator = new EngineRuleEvaluator({
    prom: parts.query.engine,
    logql: parts.query.logql,
    metrics: stores.metrics,
    maxQueryBytes: config.query.logs.max_query_bytes,
  });
  const clients = rules.alertmanagers.map((alertmanager) => new AlertmanagerClient(alertmanager));
  const sinks = [...parts.sinks, ...clients];
  const notifier = new AlertNotifier({
    sinks,
    queueCapacity: rules.notification_queue_capacity,
    logger,
    registry,
  });
  const { ruleReplicas } = context.shared;
  const replicas = ruleReplicas && new RuleReplicas({ ...ruleReplicas, logger });
  const scheduler = new RuleScheduler({
    logger,
    replicas,
    leases: context.shared.leases,
    group: {
      evaluator,
      writer: new IngestMetricWriter(parts.ingest),
      notify: (tenant, alerts) => notifier.notify(tenant, alerts),
      gate: new EvaluationGate(rules.max_concurrent_evaluations),
      metrics: new RuleMetrics(registry),
      logger,
      externalLabels: rules.external_labels,
      externalUrl: rules.external_url || `http://${config.listen}`,
      intervalMs: rules.interval_ms,
      queryOffsetMs: rules.query_offset_ms,
      resendDelayMs: rules.resend_delay_ms,
      outageToleranceMs: rules.for_outage_tolerance_ms,
      gracePeriodMs: rules.for_grace_period_ms,
    },
  });
  // The Alertmanager inside has no address: Prometheus, too, lists only others.
  const addresses = clients.map(({ name }) => name);
  const published = context.shared.publishedRules;
  const publisher = published && new RulePublisher({ scheduler, published, alertmanagers: addresses, logger });
  const read = ruleFileReader(config.query.logs.max_query_bytes);
  const files = new RuleFiles({ config: rules, read, scheduler, logger });
  const { catalog } = context.catalog;
  const watchIntervalMs = CATALOG_WATCH_MS;
  const ofCatalog = new CatalogRules({ catalog, read, scheduler, watchIntervalMs, logger });
  const { authenticator } = context;
  const changed = () => ofCatalog.look();
  registerRulerApi(context.http.app, { authenticator, catalog, read, config: rules, changed, logger });
  return {
    components: [...(replicas ? [replicas] : []), scheduler, files, ofCatalog, ...(publisher ? [publisher] : [])],
    states: new ScheduledRuleStates(scheduler, addresses, replicas),
    reload: () => files.reload(),
  };
}

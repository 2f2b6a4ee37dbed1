import { count, positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const labels = () => z.record(z.string(), z.string());

const externalAlertmanagerConfig = z.strictObject({
  url: z.url().describe("Of an Alertmanager: /api/v2/alerts is added"),
  timeout_ms: positive.default(10_000).describe("For one request"),
  headers: labels().default({}).describe("Sent along, for example Authorization"),
});
export type ExternalAlertmanagerConfig = z.output<typeof externalAlertmanagerConfig>;

/** `alerting.rules` */
export const rulesConfig = z.strictObject({
  enabled: z.boolean().default(true).describe("Evaluate rules"),
  files: z
    .array(z.string())
    .default([])
    .describe("Rule files of the tenant `default`, in the format of Prometheus or Loki: paths, which may have *"),
  tenant_files: z
    .record(z.string(), z.array(z.string()))
    .default({})
    .describe("Rule files of other tenants, by tenant"),
  packs: z
    .array(z.string())
    .default([])
    .describe(
      "Rule packs of the tenant `default` that come with Sightline, or all: `sightline rules packs` lists them",
    ),
  tenant_packs: z
    .record(z.string(), z.array(z.string()))
    .default({})
    .describe("Rule packs of other tenants, by tenant; that of Sightline's own metrics is `system`"),
  watch_interval_ms: count(5_000, 0).describe("How often the files are looked at for changes; 0: never"),
  interval_ms: count(60_000, 1_000).describe("Between evaluations, of groups that do not say"),
  query_offset_ms: count(0, 0).describe(
    "Queries of groups that do not say are for so long ago, when all samples have come",
  ),
  external_url: z.string().default("").describe("Of this server, for links in alerts; by default what it listens on"),
  external_labels: labels().default({}).describe("Added to alerts, and known to templates"),
  max_concurrent_evaluations: positive.default(4).describe("Rules that are evaluated at a time"),
  resend_delay_ms: count(60_000, 0).describe("An alert that goes on is said again after so long"),
  for_outage_tolerance_ms: count(3_600_000, 0).describe(
    "For how long nobody may have evaluated while alerts keep the time they were pending",
  ),
  for_grace_period_ms: count(600_000, 0).describe(
    "Alerts with at least so long a `for` are restored, and wait for so long after a restart",
  ),
  notification_queue_capacity: positive
    .default(10_000)
    .describe("Alerts that may wait for one Alertmanager; beyond it the oldest are dropped"),
  max_groups_per_tenant: positive
    .default(2_000)
    .describe("Groups that a tenant may put into the catalog through the ruler APIs"),
  max_rules_per_group: positive.default(500).describe("Rules of one of these"),
  max_group_bytes: positive.default(1_048_576).describe("Size of one of these as it is sent"),
  alertmanagers: z
    .array(externalAlertmanagerConfig)
    .default([])
    .describe("Others that are told of alerts beside the one inside"),
});
export type RulesConfig = z.output<typeof rulesConfig>;

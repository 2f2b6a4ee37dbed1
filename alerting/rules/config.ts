import { z } from "zod";

const ms = () => z.number().int().min(0);
const labels = () => z.record(z.string(), z.string());

const externalAlertmanagerConfig = z.strictObject({
  url: z.url().describe("Of an Alertmanager: /api/v2/alerts is added"),
  timeout_ms: z.number().int().positive().default(10_000).describe("For one request"),
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
  watch_interval_ms: ms().default(5_000).describe("How often the files are looked at for changes; 0: never"),
  interval_ms: z.number().int().min(1_000).default(60_000).describe("Between evaluations, of groups that do not say"),
  query_offset_ms: ms()
    .default(0)
    .describe("Queries of groups that do not say are for so long ago, when all samples have come"),
  external_url: z.string().default("").describe("Of this server, for links in alerts; by default what it listens on"),
  external_labels: labels().default({}).describe("Added to alerts, and known to templates"),
  max_concurrent_evaluations: z.number().int().positive().default(4).describe("Rules that are evaluated at a time"),
  resend_delay_ms: ms().default(60_000).describe("An alert that goes on is said again after so long"),
  for_outage_tolerance_ms: ms()
    .default(3_600_000)
    .describe("For how long nobody may have evaluated while alerts keep the time they were pending"),
  for_grace_period_ms: ms()
    .default(600_000)
    .describe("Alerts with at least so long a `for` are restored, and wait for so long after a restart"),
  notification_queue_capacity: z
    .number()
    .int()
    .positive()
    .default(10_000)
    .describe("Alerts that may wait for one Alertmanager; beyond it the oldest are dropped"),
  max_groups_per_tenant: z
    .number()
    .int()
    .positive()
    .default(2_000)
    .describe("Groups that a tenant may put into the catalog through the ruler APIs"),
  max_rules_per_group: z.number().int().positive().default(500).describe("Rules of one of these"),
  max_group_bytes: z.number().int().positive().default(1_048_576).describe("Size of one of these as it is sent"),
  alertmanagers: z
    .array(externalAlertmanagerConfig)
    .default([])
    .describe("Others that are told of alerts beside the one inside"),
});
export type RulesConfig = z.output<typeof rulesConfig>;

import { count, positive } from "@sightline/settings/setting-types.ts";
import { z } from "zod";

const HOUR_MS = 3_600_000;

const clusterTlsSettings = z
  .strictObject({
    cert_file: z
      .string()
      .default("")
      .describe(
        "PEM file with the certificate that this replica shows to others. Set, replicas speak TLS 1.3 only, so it must be set in " +
          "all. The three files are read again when they change",
      ),
    key_file: z.string().default("").describe("PEM file with its private key, without a password"),
    ca_file: z
      .string()
      .default("")
      .describe(
        "PEM file with the CAs of all replicas: who shows no certificate of theirs is not talked to. Empty: replicas need one of " +
          "the CAs that Node trusts, and callers need none",
      ),
    server_name: z
      .string()
      .default("")
      .describe("Name that the certificates of others must have; empty: the host of their address"),
  })
  .refine((tls) => (tls.cert_file === "") === (tls.key_file === ""), {
    message: "set cert_file and key_file together",
  })
  .refine((tls) => tls.cert_file !== "" || (tls.ca_file === "" && tls.server_name === ""), {
    message: "ca_file and server_name need cert_file and key_file",
  });

const clusterSettings = z.strictObject({
  listen: z
    .string()
    .default("")
    .describe(
      "HOST:PORT where other replicas reach this one; empty: there are no others. It is HTTP unless tls.cert_file is set",
    ),
  advertise: z.string().default("").describe("HOST:PORT that others are told, where it is not that of listen"),
  peers: z.array(z.string()).default([]).describe("HOST:PORT of some other replicas; the rest are known from them"),
  secret_file: z
    .string()
    .default("")
    .describe("File with a secret that all replicas have; empty: whoever reaches the address is taken for one"),
  tls: clusterTlsSettings.prefault({}).describe("Between replicas; the section tls of the server is not for them"),
  peer_timeout_ms: count(15_000, 0).describe(
    "So long a replica waits for each one before it to notify, and to be told so",
  ),
  settle_timeout_ms: count(60_000, 0).describe("Longest wait for what others know before the first notification"),
});

const historySettings = z.strictObject({
  retention_ms: positive
    .default(90 * 24 * HOUR_MS)
    .describe("So long it is kept why somebody was notified, or was not"),
  max_bytes: positive.default(1_073_741_824).describe("Size of its file; the oldest goes when there is more"),
  max_queued: positive.default(100_000).describe("Decisions that wait to be written; more are dropped, and counted"),
});

const flappingSettings = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Off: every change is told, as Alertmanager does"),
    changes: positive
      .max(1_000)
      .default(6)
      .describe("More changes between firing and resolved within window_ms: the alert flaps"),
    calm_changes: count(2, 0).describe("No more changes within window_ms: it is calm again"),
    window_ms: positive.default(HOUR_MS / 2).describe("Changes are counted for so long"),
    calm_ms: positive
      .default(HOUR_MS / 4)
      .describe("Unchanged for so long: it is calm again, however many changes there were"),
  })
  .refine((flapping) => flapping.calm_changes < flapping.changes, {
    message: "calm_changes must be less than changes",
  });

const configApiSettings = z.strictObject({
  enabled: z
    .boolean()
    .default(true)
    .describe("Tenants may put a configuration of their own, with the right write-rules"),
  max_config_bytes: positive.default(1_048_576).describe("Size of the configuration itself"),
  max_templates: count(20, 0).describe("Templates that come with it"),
  max_template_bytes: positive.default(131_072).describe("Size of one of them"),
  max_regex_weight: positive
    .default(100_000)
    .describe("Characters of all regular expressions, repetitions written out: compiling them holds the event loop"),
});

/** The section `alerting.alertmanager`. */
export const alertmanagerSettings = z.strictObject({
  config_file: z
    .string()
    .default("")
    .describe("Alertmanager's configuration (alertmanager.yml) of the tenant default; empty: nobody is notified"),
  tenant_config_dir: z
    .string()
    .default("")
    .describe("Directory with configurations of other tenants, TENANT.yml; tenants without one are not notified"),
  external_url: z
    .string()
    .default("")
    .describe("Where people reach this server: the beginning of links in notifications; empty: the address of listen"),
  matcher_syntax: z
    .enum(["fallback", "classic", "utf8"])
    .default("fallback")
    .describe(
      "fallback: names of labels may be anything, matchers in the old syntax are still understood. classic, utf8: only the old or the new one",
    ),
  retention_ms: positive
    .default(120 * HOUR_MS)
    .describe("Silences are kept so long after their end, and notifications are remembered so long at most"),
  dispatch_delay_ms: count(0, 0).describe("So long after the start nothing is notified"),
  max_alerts: positive.default(200_000).describe("Alerts of one tenant; more are refused with 429"),
  max_groups: positive.default(100_000).describe("Groups of one tenant; alerts of more are not notified, and counted"),
  max_silences: count(10_000, 0).describe("Silences of one tenant, those that are over included; 0: no limit"),
  max_silence_bytes: count(65_536, 0).describe("Size of one silence as JSON; 0: no limit"),
  config_api: configApiSettings
    .prefault({})
    .describe(
      "Mimir's API for configurations, /alertmanager/api/v1/alerts. What a tenant puts counts in place of its file, and names no " +
        "files of the server; alerting.notify.allow_private_targets says where it may lead",
    ),
  max_body_bytes: positive.default(33_554_432).describe("Largest body that is posted"),
  max_tenants: positive.default(1_000).describe("Tenants with alerts or silences of their own"),
  max_concurrent_notifications: positive.default(100).describe("Requests to receivers at the same time; others wait"),
  cluster: clusterSettings.prefault({}).describe("Replicas that share silences and do not notify twice"),
  flapping: flappingSettings
    .prefault({})
    .describe("Alerts that go on and off: told once that they do, and again when they are calm"),
  history: historySettings.prefault({}).describe("Why somebody was notified, or was not"),
});

export type ClusterTlsSettings = z.output<typeof clusterTlsSettings>;
export type AlertmanagerSettings = z.output<typeof alertmanagerSettings>;

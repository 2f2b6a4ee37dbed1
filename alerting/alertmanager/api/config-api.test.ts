import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AlertmanagerConfigCatalog, StoredAlertmanagerConfig } from "@sightline/model/alertmanager-configs.ts";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import { type TenantId, tenantId } from "@sightline/model/tenant.ts";
import fastify from "fastify";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { notifyConfig } from "../../notify/config.ts";
import { TargetGuard } from "../../notify/http/target-guard.ts";
import { INTEGRATIONS } from "../../notify/integrations.ts";
import { NotifyMetrics } from "../../notify/notify-metrics.ts";
import { ConfiguredReceivers } from "../configured-receivers.ts";
import { MatcherSyntax } from "../matchers/matcher-syntax.ts";
import { alertmanagerSettings } from "../settings.ts";
import { StoredConfigs } from "../stored-configs/stored-configs.ts";
import { TenantAlertmanagers } from "../tenant-alertmanagers.ts";
import { registerAlertmanagerConfigApi } from "./config-api.ts";

/** What several processes share. */
class MemoryCatalog implements AlertmanagerConfigCatalog {
  readonly #versions: StoredAlertmanagerConfig[] = [];

  async alertmanagerConfigs(): Promise<readonly StoredAlertmanagerConfig[]> {
    return [...new Map(this.#versions.map((one) => [one.tenant, one])).values()].filter(({ text }) => text !== "");
  }

  async alertmanagerConfigRevision(): Promise<number> {
    return this.#versions.length;
  }

  async changeAlertmanagerConfig(config: Omit<StoredAlertmanagerConfig, "version">): Promise<number> {
    const version = (await this.alertmanagerConfigVersions(config.tenant)).length + 1;
    this.#versions.push({ ...config, version });
    return version;
  }

  async alertmanagerConfigVersions(tenant: TenantId): Promise<readonly StoredAlertmanagerConfig[]> {
    return this.#versions.filter((one) => one.tenant === tenant).reverse();
  }
}

const LIMITS = {
  enabled: true,
  max_config_bytes: 2_000,
  max_templates: 2,
  max_template_bytes: 100,
  max_regex_weight: 500,
};
const FILE = "route: {receiver: of-file}\nreceivers: [{name: of-file}]\n";
const configOf = (receiver: string, more = "") =>
  `route: {receiver: ${receiver}}\nreceivers: [{name: ${receiver}}]\n${more}`;
const bodyOf = (config: string, templates: Record<string, string> = {}) =>
  JSON.stringify({ template_files: templates, alertmanager_config: config });

let dir: string;
let stops: (() => Promise<void>)[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sightline-config-api-"));
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) await stop();
  rmSync(dir, { recursive: true, force: true });
});

/** A process; `name` tells its files from those of others. */
async function setUp(catalog = new MemoryCatalog(), name = "a") {
  const file = join(dir, "alertmanager.yml");
  writeFileSync(file, FILE);
  const lines: string[] = [];
  const log = (text: string, fields?: object) => void lines.push(`${text} ${JSON.stringify(fields ?? {})}`);
  const logger: Logger = { ...SILENT_LOGGER, error: log, warn: log, info: log };
  const registry = new Registry();
  const config = notifyConfig.parse(undefined);
  const stored = new StoredConfigs({ catalog, watchIntervalMs: 60_000, logger });
  const alertmanagers = new TenantAlertmanagers({
    dir: join(dir, name),
    settings: alertmanagerSettings.parse({ config_file: file, config_api: LIMITS }),
    syntax: new MatcherSyntax("fallback"),
    receivers: new ConfiguredReceivers({
      kinds: INTEGRATIONS,
      config,
      guard: new TargetGuard({ allowPrivateTargets: true, allowedHosts: [] }),
      metrics: new NotifyMetrics(registry),
      logger,
      externalUrl: "http://here",
    }),
    decisions: { record: () => {} },
    stored,
    logger,
    registry,
  });
  await alertmanagers.start();
  stops.push(() => alertmanagers.stop());
  const scopes: string[] = [];
  const app = fastify();
  registerAlertmanagerConfigApi(app, {
    alertmanagers,
    catalog,
    stored,
    authenticator: {
      authenticate: (headers, scope) => {
        scopes.push(scope);
        return { tenant: tenantId(String(headers["x-scope-orgid"] ?? "default")), keyId: "key1" };
      },
    },
    limits: LIMITS,
    logger,
  });
  const call = async (method: "GET" | "POST" | "DELETE", url: string, body?: string, headers: object = {}) => {
    const answer = await app.inject({ method, url, headers: { ...headers }, ...(body !== undefined && { body }) });
    return { status: answer.statusCode, body: answer.body };
  };
  const receiversOf = async (tenant: string) =>
    (await alertmanagers.of(tenantId(tenant))).config.receivers.map((receiver) => receiver.name);
  return { call, catalog, stored, receiversOf, scopes, lines, alertmanagers };
}

const PATH = "/alertmanager/api/v1/alerts";

test("a configuration is put, is in use at once in place of the file, is given back, and taken away again", async () => {
  const { call, receiversOf, scopes } = await setUp();
  expect(await receiversOf("default")).toEqual(["of-file"]);
  expect((await call("GET", PATH)).status).toBe(404);
  const config = configOf("mine", "templates: ['*.tmpl']\n");
  expect(await call("POST", PATH, bodyOf(config, { "a.tmpl": '{{ define "x" }}y{{ end }}' }))).toEqual({
    status: 201,
    body: "",
  });
  expect(await receiversOf("default")).toEqual(["mine"]);
  expect(parse((await call("GET", PATH)).body)).toEqual({
    template_files: { "a.tmpl": '{{ define "x" }}y{{ end }}' },
    alertmanager_config: config,
  });
  expect((await call("DELETE", PATH)).status).toBe(200);
  expect(await receiversOf("default")).toEqual(["of-file"]);
  expect((await call("GET", PATH)).status).toBe(404);
  expect((await call("DELETE", PATH)).status).toBe(200);
  expect(new Set(scopes)).toEqual(new Set(["write-rules"]));
});

test("versions say who changed what; the same again is none", async () => {
  const { call } = await setUp();
  for (const name of ["one", "two", "two"]) await call("POST", PATH, bodyOf(configOf(name)));
  await call("DELETE", PATH);
  const { data } = JSON.parse((await call("GET", `${PATH}/versions`)).body);
  expect(data).toMatchObject([
    { version: 3, removed: true, changedBy: "key1 at 127.0.0.1" },
    { version: 2, removed: false, text: expect.stringContaining("two") },
    { version: 1, removed: false, text: expect.stringContaining("one") },
  ]);
});

test("tenants see and change their own only", async () => {
  const { call, receiversOf } = await setUp();
  await call("POST", PATH, bodyOf(configOf("of-shop")), { "x-scope-orgid": "shop" });
  expect(await receiversOf("shop")).toEqual(["of-shop"]);
  expect(await receiversOf("default")).toEqual(["of-file"]);
  expect((await call("GET", PATH)).status).toBe(404);
  await call("DELETE", PATH);
  expect(await receiversOf("shop")).toEqual(["of-shop"]);
});

test("another process takes it into use when it looks next, and one that starts later has it at once", async () => {
  const first = await setUp();
  const second = await setUp(first.catalog, "b");
  await first.call("POST", PATH, bodyOf(configOf("mine")));
  await first.call("POST", PATH, bodyOf(configOf("of-shop")), { "x-scope-orgid": "shop" });
  await second.stored.look();
  expect(await second.receiversOf("default")).toEqual(["mine"]);
  const third = await setUp(first.catalog, "c");
  expect([await third.receiversOf("default"), await third.receiversOf("shop")]).toEqual([["mine"], ["of-shop"]]);
  await first.call("DELETE", PATH);
  await second.stored.look();
  expect(await second.receiversOf("default")).toEqual(["of-file"]);
});

test("one that is no longer valid keeps nobody from starting: the file counts", async () => {
  const catalog = new MemoryCatalog();
  const tenant = tenantId("default");
  await catalog.changeAlertmanagerConfig({ tenant, text: bodyOf("route: 1"), changedAtMs: 0, changedBy: "" });
  const { receiversOf, lines } = await setUp(catalog);
  expect(await receiversOf("default")).toEqual(["of-file"]);
  expect(lines.join()).toContain("a configuration of the catalog is not valid");
});

const webhook = (more: string) => configOf("a").replace("name: a}", `name: a, webhook_configs: [{${more}}]}`);
test.each([
  ["no YAML", "{", "yaml"],
  ["nothing", "", "alertmanager_config is empty"],
  ["an empty configuration", bodyOf(" "), "to take a configuration away, DELETE it"],
  ["an unknown field", `${bodyOf(FILE).slice(0, -1)}, "x": 1}`, "field x not found"],
  ["a route to nobody", bodyOf("route: {receiver: b}\nreceivers: [{name: a}]"), 'undefined receiver "b" used in route'],
  ["a wrong regular expression", bodyOf(configOf("a").replace("a}", "a, routes: [{matchers: ['x=~(']}]}")), "("],
  ["a wrong template", bodyOf(configOf("a", "templates: [t]"), { t: "{{ nope }}" }), 'function "nope" not defined'],
  ["a template with a path", bodyOf(FILE, { "../t": "" }), "no name of a file without a path"],
  ["templates of the server", bodyOf(configOf("a", "templates: ['/etc/*']")), "named as in template_files"],
  ["too many templates", bodyOf(FILE, { a: "", b: "", c: "" }), "config_api.max_templates is 2"],
  ["a large template", bodyOf(FILE, { a: "x".repeat(101) }), "config_api.max_template_bytes is 100"],
  ["a large configuration", bodyOf(`${FILE}#${"x".repeat(2_000)}`), "config_api.max_config_bytes is 2000"],
  [
    "a file with an address",
    bodyOf(webhook("url_file: /etc/passwd")),
    "webhook_configs[0].url_file: a configuration that is",
  ],
  [
    "expensive regular expressions",
    bodyOf(configOf("a").replace("a}", "a, routes: [{matchers: ['x=~\"(a{20}b){30}\"']}]}")),
    "config_api.max_regex_weight is 500",
  ],
  [
    "a file with a certificate",
    bodyOf(webhook("url: 'http://x', http_config: {tls_config: {ca_file: /etc/passwd}}")),
    "http_config.tls_config.ca_file",
  ],
  [
    "a file for a header",
    bodyOf(webhook("url: 'http://x', http_config: {http_headers: {A: {files: [/x]}}}")),
    "A.files",
  ],
  ["a file for all", bodyOf(configOf("a", "global: {slack_api_url_file: /x}")), "global.slack_api_url_file"],
])("%s is refused, and what is in use stays", async (_what, body, message) => {
  const { call, receiversOf } = await setUp();
  await call("POST", PATH, bodyOf(configOf("before")));
  const answer = await call("POST", PATH, body);
  expect(answer).toEqual({ status: 400, body: expect.stringContaining("error validating Alertmanager config: ") });
  expect(answer.body).toContain(message);
  expect(await receiversOf("default")).toEqual(["before"]);
  expect(JSON.parse((await call("GET", `${PATH}/versions`)).body).data).toHaveLength(1);
});

test("a body that is far too large is not read", async () => {
  const { call } = await setUp();
  expect((await call("POST", PATH, "x".repeat(10_000))).status).toBe(413);
});

test("keys of the user's own may be called files", async () => {
  const { call } = await setUp();
  expect((await call("POST", PATH, bodyOf(webhook("url: 'http://x', payload: {log_file: x}")))).status).toBe(201);
});

test("secrets are given back to who may put them, and are logged by nobody", async () => {
  const { call, lines } = await setUp();
  const secret = "http://x/s3cret";
  await call("POST", PATH, bodyOf(webhook(`url: '${secret}'`)));
  await call("POST", PATH, bodyOf(webhook(`url: '${secret}', nonsense: 1`)));
  await call("POST", PATH, bodyOf(webhook(`url: '${secret}'`).replace("receivers", "receiver")));
  expect((await call("GET", PATH)).body).toContain(secret);
  expect(lines.join()).not.toContain("s3cret");
});

test("pages of other sites can't put one", async () => {
  const { call } = await setUp();
  expect((await call("POST", PATH, bodyOf(FILE), { origin: "https://evil.example" })).status).toBe(403);
});

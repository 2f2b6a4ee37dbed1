import type { Authenticator } from "@sightline/model/access.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { RuleCatalog, StoredRuleGroup } from "@sightline/model/rules.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import fastify from "fastify";
import { expect, test } from "vitest";
import { parseRuleFile } from "./parse-rule-file.ts";
import { registerRulerApi } from "./ruler-api.ts";
import { RulesTestBed } from "./rules-test-bed.ts";

/** Keeps versions in memory. */
class MemoryCatalog implements RuleCatalog {
  readonly versions: StoredRuleGroup[] = [];

  async ruleGroups(): Promise<readonly StoredRuleGroup[]> {
    const newest = new Map(this.versions.map((group) => [`${group.namespace}/${group.name}`, group]));
    return [...newest.values()].filter(({ text }) => text !== "");
  }

  async ruleRevision(): Promise<number> {
    return this.versions.length;
  }

  async changeRuleGroup(group: Omit<StoredRuleGroup, "version">): Promise<number> {
    const { length } = await this.ruleGroupVersions(group.tenant, group.namespace, group.name);
    this.versions.push({ ...group, version: length + 1 });
    return length + 1;
  }

  async ruleGroupVersions(_tenant: string, namespace: string, name: string): Promise<readonly StoredRuleGroup[]> {
    return this.versions.filter((group) => group.namespace === namespace && group.name === name).reverse();
  }
}

function setUp() {
  const bed = new RulesTestBed();
  const catalog = new MemoryCatalog();
  const scopes: string[] = [];
  let changes = 0;
  const authenticator: Authenticator = {
    authenticate: (_headers, scope) => {
      scopes.push(scope);
      return { tenant: DEFAULT_TENANT, keyId: "key1" };
    },
  };
  const app = fastify();
  registerRulerApi(app, {
    authenticator,
    catalog,
    read: async (text, options) => parseRuleFile(text, { check: (expression) => bed.check(expression), ...options }),
    config: { max_groups_per_tenant: 2, max_rules_per_group: 2, max_group_bytes: 1_000 },
    changed: async () => {
      changes++;
    },
    logger: SILENT_LOGGER,
  });
  const call = async (method: "GET" | "POST" | "DELETE", url: string, body?: string) => {
    const headers = { "content-type": "application/yaml" };
    const answer = await app.inject({ method, url, ...(body !== undefined && { body, headers }) });
    return { status: answer.statusCode, body: answer.body };
  };
  return { call, catalog, scopes, changes: () => changes };
}

const GROUP = "name: a\nrules:\n- alert: A\n  expr: up\n";

test("groups are put, listed by namespace, read and removed, and each change says who made it", async () => {
  const { call, catalog, scopes, changes } = setUp();
  expect((await call("GET", "/config/v1/rules")).status).toBe(404);
  expect(await call("POST", "/config/v1/rules/n%2F1", GROUP)).toEqual({
    status: 202,
    body: '{"status":"success","data":null,"errorType":"","error":""}',
  });
  expect((await call("GET", "/prometheus/config/v1/rules")).body).toBe(
    "n/1:\n  - name: a\n    rules:\n      - alert: A\n        expr: up\n",
  );
  expect((await call("GET", "/config/v1/rules/n%2F1/a")).body).toBe(
    GROUP.replaceAll("\n-", "\n  -").replace("  expr", "    expr"),
  );
  expect((await call("DELETE", "/config/v1/rules/n%2F1/a")).status).toBe(202);
  expect((await call("DELETE", "/config/v1/rules/n%2F1/a")).status).toBe(404);
  const { data } = JSON.parse((await call("GET", "/config/v1/rules/n%2F1/a/versions")).body);
  expect(data).toMatchObject([
    { version: 2, removed: true, changedBy: "key1 at 127.0.0.1" },
    { version: 1, removed: false, text: GROUP },
  ]);
  expect(changes()).toBe(2);
  expect(new Set(scopes)).toEqual(new Set(["read", "write-rules"]));
  expect(catalog.versions.map(({ language }) => language)).toEqual(["", ""]);
});

test("what is put by Loki's path is LogQL", async () => {
  const { call, catalog } = setUp();
  expect((await call("POST", "/loki/api/v1/rules/n", "name: a\nrules: [{alert: A, expr: 'a |= b'}]")).status).toBe(202);
  expect((await call("POST", "/loki/api/v1/rules/n", GROUP)).body).toContain("unexpected logql");
  expect(catalog.versions.map(({ language }) => language)).toEqual(["logql"]);
});

test.each([
  ["name: a\nrules: [{alert: A, expr: bad}]", 400, "could not parse expression"],
  ["name: ''\nrules: []", 400, "Groupname must not be empty"],
  ["", 400, ""],
  [`name: a\nrules: [${"{alert: A, expr: up},".repeat(3)}]`, 422, "alerting.rules.max_rules_per_group is 2"],
  [`name: ${"a".repeat(300)}\nrules: []`, 400, "256 characters"],
  [`# ${"x".repeat(2_000)}`, 413, "too large"],
])("%j is refused", async (body, status, message) => {
  const answer = await setUp().call("POST", "/config/v1/rules/n", body);
  expect(answer).toMatchObject({ status, body: expect.stringContaining(message) });
});

test("a tenant has so many groups at most", async () => {
  const { call } = setUp();
  for (const name of ["a", "b"]) await call("POST", "/config/v1/rules/n", `name: ${name}\nrules: []`);
  expect((await call("POST", "/config/v1/rules/n", "name: c\nrules: []")).body).toContain("max_groups_per_tenant is 2");
  expect((await call("POST", "/config/v1/rules/n", "name: b\nrules: []")).status).toBe(202);
});

import type { ApiKey, RequestHeaders, Scope } from "@sightline/model/access.ts";
import { statusOf } from "@sightline/model/errors.ts";
import { SYSTEM_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { newToken } from "./api-key-token.ts";
import { KeyAuthenticator } from "./key-authenticator.ts";
import { grantKey } from "./key-grant.ts";

const NOW = 1_700_000_000_000;

/** An authenticator that knows the given keys, and what it noted of their use. */
function knowing(...keys: readonly ApiKey[]) {
  const byId = new Map(keys.map((key) => [key.id, key]));
  const uses = new Map<string, number>();
  const registry = new Registry();
  const authenticator = new KeyAuthenticator({
    ring: { find: (id) => byId.get(id), noteUse: (id, atMs) => uses.set(id, atMs) },
    config: { max_failures_per_minute: 60 },
    registry,
    nowMs: () => NOW,
  });
  return { authenticator, uses, registry };
}

const grant = (tenant: string, scopes: readonly string[], expiresAtMs?: number) =>
  grantKey({ tenant, scopes, name: "", expiresAtMs }, NOW - 1_000);
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

describe("a key", () => {
  const { key, token } = grant("shop", ["ingest", "read"]);
  const { authenticator, uses } = knowing(key);

  test.each([
    ["bearer", { authorization: `Bearer ${token}` }],
    ["bearer in lower case", { authorization: `bearer ${token}` }],
    ["X-API-Key", { "x-api-key": token }],
    ["basic auth", { authorization: basic("whoever", token) }],
    ["basic auth without a user", { authorization: basic("", token) }],
    ["gRPC metadata", { authorization: [`Bearer ${token}`] }],
    ["X-API-Key beside a proxy's own Authorization", { authorization: "Bearer e30.e30.sig", "x-api-key": token }],
    ["its own tenant's header", { "x-api-key": token, "x-scope-orgid": "shop" }],
  ] as [string, RequestHeaders][])("is taken as %s", (_, headers) => {
    expect(authenticator.authenticate(headers, "read")).toMatchObject({ tenant: "shop" });
    expect(uses.get(key.id)).toBe(NOW);
  });
});

const good = grant("shop", ["ingest", "read"]);
const expired = grant("shop", ["admin"], NOW);
const revoked = grant("shop", ["admin"]);
const reader = grant("shop", ["read"]);
const stranger = newToken();
const all = knowing(good.key, expired.key, { ...revoked.key, revokedAtMs: NOW - 1 }, reader.key);
/** Right id, wrong secret. */
const forged = good.token.slice(0, -6) + (good.token.endsWith("AAAAAA") ? "BBBBBB" : "AAAAAA");

describe.each(["ingest", "read", "write-rules", "admin"] as const)("for the scope %s", (scope: Scope) => {
  test.each([
    ["nothing", {}, 401, /Authorization: Bearer KEY/],
    ["an empty credential", { authorization: "" }, 401, /begin with sl_/],
    ["another scheme", { authorization: `Digest ${good.token}` }, 401, /begin with sl_/],
    ["a bare token", { authorization: good.token }, 401, /begin with sl_/],
    ["basic auth with the key as user", { authorization: basic(good.token, "x") }, 401, /begin with sl_/],
    ["a megabyte", { authorization: `Bearer ${"x".repeat(1e6)}` }, 401, /begin with sl_/],
    ["a key that never was", { "x-api-key": stranger.token }, 401, /not known/],
    ["a right id with a wrong secret", { "x-api-key": forged }, 401, /not known/],
    ["an expired key", { "x-api-key": expired.token }, 401, /has expired on 2023-11-14/],
    ["a revoked key", { "x-api-key": revoked.token }, 401, /revoked/],
  ] as [string, RequestHeaders, number, RegExp][])("%s is turned away", (_, headers, status, message) => {
    let error: unknown;
    try {
      all.authenticator.authenticate(headers, scope);
    } catch (thrown) {
      error = thrown;
    }
    expect(statusOf(error).http).toBe(status);
    expect((error as Error).message).toMatch(message);
    const secrets = [good, expired, revoked, stranger].map(({ token }) => token.slice(16));
    for (const secret of secrets) expect((error as Error).message).not.toContain(secret);
  });
});

test.each([
  [["ingest"], "ingest", true],
  [["ingest"], "read", false],
  [["read"], "read", true],
  [["read"], "ingest", false],
  [["read", "ingest"], "write-rules", false],
  [["write-rules"], "write-rules", true],
  [["write-rules"], "read", false],
  [["admin"], "ingest", true],
  [["admin"], "write-rules", true],
  [["ingest", "read", "write-rules"], "admin", false],
] as [Scope[], Scope, boolean][])("scopes %j are enough for %s: %s", (scopes, wanted, isEnough) => {
  const { key, token } = grant("shop", scopes);
  const attempt = () => knowing(key).authenticator.authenticate({ "x-api-key": token }, wanted);
  if (isEnough) expect(attempt()).toMatchObject({ tenant: "shop" });
  else expect(attempt).toThrow(expect.objectContaining({ name: "ForbiddenError" }));
});

describe("the tenant", () => {
  const shop = grant("shop", ["admin"]);
  const anybody = grant("*", ["admin"]);
  const system = grant("system", ["read"]);
  const { authenticator, uses } = knowing(shop.key, anybody.key, system.key);
  const owner = SYSTEM_TENANT;

  test.each([
    ["its own", shop, {}, {}, "shop"],
    ["its own, named", shop, { "x-project-id": "shop" }, {}, "shop"],
    ["another one", shop, { "x-scope-orgid": "other" }, {}, "ForbiddenError"],
    ["another project", shop, { "x-project-id": "other" }, {}, "ForbiddenError"],
    ["all tenants", shop, { "x-scope-orgid": "*" }, {}, "ForbiddenError"],
    ["what belongs to another one", shop, {}, { owner }, "ForbiddenError"],
    ["what belongs to it", system, {}, { owner }, "system"],
    ["none, with a key for all", anybody, {}, {}, "default"],
    ["any, with a key for all", anybody, { "x-scope-orgid": "other" }, {}, "other"],
    ["all at once, with a key for all", anybody, { "x-scope-orgid": "*" }, {}, "ForbiddenError"],
    ["what belongs to another one, with a key for all", anybody, {}, { owner }, "system"],
    ["two at once", shop, { "x-scope-orgid": "shop", "x-project-id": "other" }, {}, "InvalidInputError"],
    ["no tenant's name", anybody, { "x-scope-orgid": "../etc" }, {}, "InvalidInputError"],
  ] as const)("%s", (_, { token, key }, headers, context, want) => {
    uses.clear();
    const attempt = () => authenticator.authenticate({ "x-api-key": token, ...headers }, "read", context);
    if (want.endsWith("Error")) expect(attempt).toThrow(expect.objectContaining({ name: want }));
    else expect(attempt()).toMatchObject({ tenant: want });
    expect(uses.has(key.id)).toBe(!want.endsWith("Error"));
  });
});

test("an address with too many failures is told to wait, and a right key from there still passes", async () => {
  const { authenticator, registry } = knowing(good.key);
  const fail = (peer: string) => {
    try {
      authenticator.authenticate({}, "read", { peer });
    } catch (error) {
      return statusOf(error).http;
    }
    return 200;
  };
  const statuses = Array.from({ length: 61 }, () => fail("10.0.0.1"));
  expect(statuses).toEqual([...Array(60).fill(401), 429]);
  expect(fail("10.0.0.2")).toBe(401);
  expect(authenticator.authenticate({ "x-api-key": good.token }, "read", { peer: "10.0.0.1" }).tenant).toBe("shop");
  expect(await registry.metrics()).toContain('sightline_auth_failures_total{reason="missing"} 62');
});

import { tenantId } from "@sightline/model/tenant.ts";
import { expect, test } from "vitest";
import { HeaderAuthenticator } from "./header-authenticator.ts";

const authenticator = new HeaderAuthenticator();

test.each([
  [{}, "default"],
  [{ "x-scope-orgid": "" }, "default"],
  [{ "x-scope-orgid": "team-a" }, "team-a"],
  [{ "x-project-id": "shop" }, "shop"],
  [{ "x-scope-orgid": "shop", "x-project-id": "shop" }, "shop"],
  [{ "x-scope-orgid": ["first", "second"] }, "first"],
])("%j belongs to tenant %s", (headers, tenant) =>
  expect(authenticator.authenticate(headers, "read").tenant).toBe(tenant),
);

test.each(["..", ".", "a/b", "a\\b", "x".repeat(151), "a b", "a|b", "\u0000"])("refuses the tenant %j", (tenant) => {
  expect(() => authenticator.authenticate({ "x-scope-orgid": tenant }, "ingest")).toThrow(/invalid tenant/);
});

test("refuses two headers that disagree", () => {
  expect(() => authenticator.authenticate({ "x-scope-orgid": "a", "x-project-id": "b" }, "read")).toThrow(
    /different tenants/,
  );
});

test("what belongs to somebody keeps its owner, whatever the request names", () => {
  const owner = tenantId("system");
  expect(authenticator.authenticate({ "x-scope-orgid": "a" }, "read", { owner }).tenant).toBe("system");
});

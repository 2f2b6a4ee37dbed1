import { expect, test } from "vitest";
import { HeaderAuthenticator } from "./header-authenticator.ts";
import { assertListenIsSafe, isLoopback } from "./listen-guard.ts";

const authenticator = new HeaderAuthenticator();

test.each([
  [{}, "default"],
  [{ "x-scope-orgid": "" }, "default"],
  [{ "x-scope-orgid": "team-a" }, "team-a"],
  [{ "x-project-id": "shop" }, "shop"],
  [{ "x-scope-orgid": "shop", "x-project-id": "shop" }, "shop"],
  [{ "x-scope-orgid": ["first", "second"] }, "first"],
])("%j belongs to tenant %s", (headers, tenant) => expect(authenticator.authenticate(headers).tenant).toBe(tenant));

test.each(["..", ".", "a/b", "a\\b", "x".repeat(151), "a b", "a|b", "\u0000"])("refuses the tenant %j", (tenant) => {
  expect(() => authenticator.authenticate({ "x-scope-orgid": tenant })).toThrow(/invalid tenant/);
});

test("refuses two headers that disagree", () => {
  expect(() => authenticator.authenticate({ "x-scope-orgid": "a", "x-project-id": "b" })).toThrow(/different tenants/);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.8.8", true],
  ["localhost", true],
  ["::1", true],
  ["[::1]", true],
  ["0.0.0.0", false],
  ["10.0.0.1", false],
  ["::", false],
  ["127.example.com", false],
])("%s is loopback: %s", (host, want) => expect(isLoopback(host)).toBe(want));

test("an open address needs to be asked for", () => {
  expect(() => assertListenIsSafe("listen", "0.0.0.0", false)).toThrow(/auth\.allow_unauthenticated/);
  expect(() => assertListenIsSafe("listen", "0.0.0.0", true)).not.toThrow();
});

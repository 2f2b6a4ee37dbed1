import { expect, test } from "vitest";
import { tokenHash, tokenId } from "./api-key-token.ts";
import { grantKey } from "./key-grant.ts";

const GRANT = { tenant: "shop", scopes: ["read"], name: "Grafana", expiresAtMs: 5 };

test("the token is told, and only its hash is kept", () => {
  const { key, token } = grantKey(GRANT, 3);
  expect(token).toMatch(/^sl_[0-9a-f]{12}_[\w-]{43}$/);
  expect(key).toEqual({
    id: tokenId(token),
    name: "Grafana",
    tenant: "shop",
    scopes: ["read"],
    hash: tokenHash(token),
    createdAtMs: 3,
    expiresAtMs: 5,
  });
  expect(key.hash).toHaveLength(32);
  expect(grantKey(GRANT, 3).token).not.toBe(token);
});

test.each([
  [
    "an unknown scope",
    { scopes: ["read", "write"] },
    /unknown scope "write".*ingest, read, reveal, write-rules, admin/,
  ],
  ["no scope", { scopes: [] }, /needs a scope/],
  ["a wrong tenant", { tenant: "a/b" }, /invalid tenant/],
  ["all tenants without admin", { tenant: "*", scopes: ["ingest", "read"] }, /only a key with the scope admin/],
  ["a long name", { name: "x".repeat(101) }, /100 characters/],
  ["a name that moves the cursor", { name: "a\u001b[2J" }, /control characters/],
] as [string, Partial<typeof GRANT>, RegExp][])("%s is refused", (_, change, message) => {
  expect(() => grantKey({ ...GRANT, ...change }, 0)).toThrow(message);
});

import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SEALED_TEXT, TextSealer } from "./sealed-text.ts";
import { tenantId } from "./tenant.ts";

const shop = tenantId("shop");
const line = (id: string) => `${id}:${randomBytes(32).toString("base64")}`;
const [k1, k2] = [line("k1"), line("k2")];

test("what was sealed can be opened, whatever it is, and found in a text", () => {
  const sealer = new TextSealer(k1, "keys");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const sealed = sealer.seal(shop, text);
      expect(sealer.open(shop, sealed)).toBe(text);
      expect(`by ${sealed}, today`.match(SEALED_TEXT)).toEqual([sealed]);
    }),
  );
});

test("equal texts look equal within a tenant and differ between tenants", () => {
  const sealer = new TextSealer(k1, "keys");
  expect(sealer.seal(shop, "ann@example.com")).toBe(sealer.seal(shop, "ann@example.com"));
  expect(sealer.seal(shop, "ann@example.com")).not.toBe(sealer.seal(tenantId("bank"), "ann@example.com"));
});

test("after a rotation the new key seals and the old one still opens", () => {
  const old = new TextSealer(k1, "keys").seal(shop, "ann");
  const rotated = new TextSealer(`# newest first\n${k2}\n${k1}\n`, "keys");
  expect(rotated.open(shop, old)).toBe("ann");
  expect(rotated.seal(shop, "ann")).toMatch(/^sealed:k2:/);
});

describe("opening is refused", () => {
  const sealer = new TextSealer(k1, "keys");
  const sealed = sealer.seal(shop, "ann");
  test.each([
    ["another tenant's", () => sealer.open(tenantId("bank"), sealed), "for another tenant"],
    ["a damaged one", () => sealer.open(shop, `${sealed.slice(0, -2)}xx`), "damaged"],
    ["one cut off", () => sealer.open(shop, sealed.slice(0, 20)), "damaged"],
    ["one of an unknown key", () => new TextSealer(k2, "keys").open(shop, sealed), 'the key "k1", which is not there'],
    ["any other text", () => sealer.open(shop, "ann"), 'begin with "sealed:"'],
  ])("%s", (_, open, message) => expect(open).toThrow(message));
});

test.each([
  ["", "has no key"],
  ["k1", "line 1 is not ID:KEY"],
  [`# comment\nk1:${randomBytes(16).toString("base64")}`, "line 2 is not ID:KEY"],
  [`${k1}\n${k1}`, "two keys have the same id"],
])("a wrong file of keys is refused without showing keys: %#", (text, message) => {
  expect(() => new TextSealer(text, "keys")).toThrow(message);
});

import type { Attributes } from "@sightline/model/attributes.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributeFields, attributesOfFields, attributeToken, isExactToken } from "./attribute-text.ts";

const name = fc.oneof(
  fc.constantFrom("", "a", "a.b", ".a", "a..b", "__proto__", "constructor", "7", "\ud800", "x".repeat(600), "a b"),
  fc.string({ unit: "binary" }),
);
const value = fc.oneof(fc.constantFrom("", "\udc00", "\u0000", "y".repeat(40_000)), fc.string({ unit: "binary" }));
const attribute = fc.record({
  name,
  type: fc.constantFrom("string" as const, "int" as const, "double" as const, "bool" as const, "json" as const),
  value,
});
const attributes: fc.Arbitrary<Attributes> = fc.uniqueArray(attribute, {
  maxLength: 8,
  selector: ({ name, type }) => `${type}:${name}`,
});
const sorted = (list: Attributes) => list.map((one) => JSON.stringify(one)).sort();

test("attributes come back as they were, also through JSON", () => {
  fc.assert(
    fc.property(attributes, (list) => {
      const text = JSON.stringify(attributeFields(list));
      expect(sorted(attributesOfFields(JSON.parse(text)))).toEqual(sorted(list));
    }),
  );
});

describe("tokens", () => {
  test("are never too long for an index, and well-formed", () => {
    fc.assert(
      fc.property(name, value, (key, text) => {
        const token = attributeToken(key, text);
        expect(Buffer.byteLength(token)).toBeLessThan(32_766);
        expect(token.isWellFormed()).toBe(true);
      }),
    );
  });

  test("of different values differ when they are exact", () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        fc.pre(a !== b && isExactToken("k", a));
        expect(attributeToken("k", a)).not.toBe(attributeToken("k", b));
      }),
    );
  });
});

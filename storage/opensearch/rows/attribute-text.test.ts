import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { attributeToken, isExactToken } from "./attribute-text.ts";

const name = fc.oneof(
  fc.constantFrom("", "a", "a.b", ".a", "a..b", "__proto__", "constructor", "7", "\ud800", "x".repeat(600), "a b"),
  fc.string({ unit: CODE_POINT }),
);
const value = fc.oneof(fc.constantFrom("", "\udc00", "\u0000", "y".repeat(40_000)), fc.string({ unit: CODE_POINT }));
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

import type { Attributes } from "@sightline/model/attributes.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { originTokens } from "./origin-fields.ts";
import { attributesOfRow, rowAttributes, searchContext } from "./row-attributes.ts";
import { joinTokens } from "./tokens.ts";

const name = fc.oneof(
  fc.constantFrom("", "a", "a.b", ".a", "a..b", "__proto__", "7", "\ud800", "x".repeat(1_200), "a b", "a=b", "a\u007f"),
  fc.string({ unit: "binary" }),
);
const value = fc.oneof(
  fc.constantFrom("", "=", "\udc00", "\u0000", "\u007f", "\ufffd", "y".repeat(40_000)),
  fc.string({ unit: "binary" }),
);
const attribute = fc.record({
  name,
  type: fc.constantFrom("string" as const, "int" as const, "double" as const, "bool" as const, "json" as const),
  value,
});
const attributes = fc.uniqueArray(attribute, { maxLength: 8, selector: ({ name, type }) => `${type}:${name}` });
const sorted = (list: Attributes) => list.map((one) => JSON.stringify(one)).sort();

test("attributes come back as they were, also through JSON, whatever those of their origin are", () => {
  fc.assert(
    fc.property(attributes, attributes, attributes, (resource, ofScope, own) => {
      const origin = { resource, scope: { name: "", version: "", schemaUrl: "", attributes: ofScope } };
      const document = JSON.stringify(rowAttributes(joinTokens(originTokens(origin)), own));
      expect(sorted(attributesOfRow(JSON.parse(document), origin))).toEqual(sorted(own));
    }),
  );
});

const NOWHERE = { resource: [], scope: { name: "", version: "", schemaUrl: "", attributes: [] } };

test("attributes come back from documents of earlier versions", () => {
  const early = { context: { a: "1", b: "x" }, types: { a: "int" as const }, more: ["", "bool" as const, "true"] };
  expect(attributesOfRow({ fields: "a=1\u007fb=x\u007f=true", ...early }, NOWHERE)).toEqual([
    { name: "a", type: "int", value: "1" },
    { name: "b", type: "string", value: "x" },
    { name: "", type: "bool", value: "true" },
  ]);
});

test("what other programs search in has no names that OpenSearch would refuse", () => {
  const list = ["user.id", "a..b", "", " ", "__proto__"].map((name) => ({ name, type: "string" as const, value: "v" }));
  expect(searchContext(list)).toEqual({ "user.id": "v" });
  expect(searchContext(list.slice(1))).toBeUndefined();
});

import type { Attributes } from "@sightline/model/attributes.ts";
import type { LogStream } from "@sightline/model/log-batch.ts";
import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { originTokens } from "../rows/origin-fields.ts";
import { joinTokens } from "../rows/tokens.ts";
import { labelTokens, streamOfFields, streamRest } from "./stream-fields.ts";

const text = fc.oneof(
  fc.constantFrom("", "a", "a=b", "=", "\ud800", "\ufffd", "\u007f", "y".repeat(2_000)),
  fc.string({ unit: CODE_POINT, maxLength: 8 }),
);
const types = fc.constantFrom("string" as const, "int" as const, "double" as const, "bool" as const, "json" as const);
const attributes: fc.Arbitrary<Attributes> = fc.array(fc.record({ name: text, type: types, value: text }), {
  maxLength: 4,
});
const streams: fc.Arbitrary<LogStream> = fc.record({
  labels: fc.array(fc.tuple(text, text), { maxLength: 3 }),
  resource: attributes,
  scope: fc.record({ name: text, version: text, schemaUrl: text, attributes }),
});

test("a stream comes back from the fields of a document as it was, whatever attributes its record has, or is not told so", () => {
  fc.assert(
    fc.property(streams, fc.array(fc.string({ minLength: 1 })), (stream, own) => {
      const rest = streamRest(stream);
      fc.pre(rest !== undefined);
      const fields = [...originTokens(stream), ...own];
      const document = { labels: joinTokens(labelTokens(stream)), fields: joinTokens(fields), stream_rest: rest };
      expect(streamOfFields(JSON.parse(JSON.stringify(document)))).toEqual(stream);
    }),
  );
});

const SCOPE = { name: "lib", version: "1", schemaUrl: "", attributes: [] };
const attribute = (name: string, value: string) => ({ name, type: "string" as const, value });

test.each<[string, Partial<LogStream>, boolean]>([
  ["nothing", {}, true],
  ["labels and attributes", { labels: [["pod", "a=b"]], resource: [attribute("k8s.pod.name", "a=b")] }, true],
  ["a name with an equals sign", { resource: [attribute("a=b", "c")] }, false],
  ["a label's name with an equals sign", { labels: [["a=b", "c"]] }, false],
  ["a value that is too long to be looked up", { resource: [attribute("a", "x".repeat(1_000))] }, false],
  ["what stands between tokens in a value", { resource: [attribute("a", "b\u007fc=d")] }, false],
  ["half a character in a name", { resource: [attribute("\ud800", "x")] }, false],
  ["half a character in a value", { scope: { ...SCOPE, attributes: [attribute("a", "\ud800")] } }, false],
])("a stream with %s", (_, parts, isReadable) => {
  const rest = streamRest({ labels: [], resource: [], scope: SCOPE, ...parts });
  expect(rest !== undefined).toBe(isReadable);
});

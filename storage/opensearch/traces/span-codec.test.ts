import type { SpanSource } from "@sightline/model/span-batch.ts";
import { describe, expect, test } from "vitest";
import { type Span, SpanCodec } from "./span-codec.ts";

const attribute = (name: string, value: string) => ({ name, type: "string" as const, value });
const SOURCE: SpanSource = {
  resource: [attribute("service.name", "shop"), { name: "process.pid", type: "int", value: "7" }],
  scope: { name: "lib", version: "1", schemaUrl: "", attributes: [attribute("a", "b")] },
  resourceSchemaUrl: "https://example.org/schema",
};
const SPAN: Span = {
  timeNs: 1_763_742_019_123_456_789n,
  source: SOURCE,
  traceId: "0123456789abcdef0123456789abcdef",
  spanId: "0123456789abcdef",
  parentSpanId: "",
  traceState: "",
  flags: 0,
  name: "GET /cart",
  kind: 2,
  durationNs: 5n,
  statusCode: 0,
  statusMessage: "",
  attributes: [attribute("user.id", "ann")],
  events: [],
  links: [],
  dropped: undefined,
};
const LONG: SpanSource = { ...SOURCE, resource: [attribute("process.command_line", "x".repeat(2_000))] };

const codec = () => new SpanCodec({ search_context: false });
const documentOf = (span: Span): Readonly<Record<string, unknown>> => {
  return JSON.parse(codec().jsonOf(span));
};

describe("a span comes back from its document", () => {
  test.each([
    ["of a source that searches know by its fields", SPAN],
    ["without a schema", { ...SPAN, source: { ...SOURCE, resourceSchemaUrl: "" } }],
    ["of a source with more than searches know", { ...SPAN, source: LONG }],
  ])("%s", (_, span) => expect(codec().rowOf(span.timeNs, documentOf(span))).toEqual(span));

  test("that an earlier version wrote, with the source written out and attributes in a list", () => {
    const { source_id: _, source_rest: __, resource_schema_url: ___, ...document } = documentOf(SPAN);
    const source =
      '[["service.name","string","shop","process.pid","int","7"],"https://example.org/schema",["lib","1","",["a","string","b"]]]';
    const fields = ["service.name=shop", "process.pid=7", "a=b", "user.id=ann"];
    expect(codec().rowOf(SPAN.timeNs, { ...document, source, fields })).toEqual(SPAN);
  });
});

test("spans of one source share it", () => {
  const one = codec();
  expect(one.rowOf(1n, documentOf(SPAN)).source).toBe(one.rowOf(2n, documentOf(SPAN)).source);
});

test("what searches know of a source is not written out a second time", () => {
  expect(documentOf(SPAN)).not.toHaveProperty("source");
  expect(documentOf({ ...SPAN, source: LONG })).not.toHaveProperty("source_rest");
});

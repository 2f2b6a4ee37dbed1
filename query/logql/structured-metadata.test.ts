import type { Attributes } from "@sightline/model/attributes.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StructuredMetadata } from "./structured-metadata.ts";

const text = (name: string, value: string): Attributes[number] => ({ name, type: "string", value });
const map = (name: string, value: object): Attributes[number] => ({ name, type: "json", value: JSON.stringify(value) });

function metadataOf(rows: readonly LogRow[], wanted?: readonly string[]) {
  const metadata = new StructuredMetadata(wanted && new Set(wanted));
  const batch = logBatchOf(rows);
  return rows.map((_, row) => metadata.of(batch, row));
}

const cases: [what: string, row: Omit<LogRow, "timeNs">, labels: Record<string, string>, wanted?: readonly string[]][] =
  [
    [
      "attributes, under names of labels",
      { attributes: [text("user.id", "7")] },
      { detected_level: "unknown", user_id: "7" },
    ],
    ["nothing that is empty", { attributes: [text("a", "")] }, { detected_level: "unknown" }],
    [
      "fields of the record",
      { observedNs: 5n, severity: 9, severityText: "INFO", traceId: "ab", spanId: "cd" },
      {
        detected_level: "info",
        observed_timestamp: "5",
        severity_number: "9",
        severity_text: "INFO",
        span_id: "cd",
        trace_id: "ab",
      },
    ],
    [
      "what a record says before what its scope says, and that before what its resource says",
      {
        resource: [text("a", "resource"), text("b", "resource"), text("c", "resource")],
        scope: { name: "s", version: "", schemaUrl: "", attributes: [text("a", "scope"), text("b", "scope")] },
        attributes: [text("a", "record")],
      },
      { a: "record", b: "scope", c: "resource", detected_level: "unknown", scope_name: "s" },
    ],
    [
      "an attribute beside the stream's label of that name",
      { labels: { a: "1" }, attributes: [text("a", "2")] },
      { a_extracted: "2", detected_level: "unknown" },
    ],
    [
      "a label per leaf of a map",
      { attributes: [map("a", { b: { c: 1 }, d: "x" })] },
      { a_b_c: "1", a_d: "x", detected_level: "unknown" },
    ],
    ["only what is wanted", { severity: 9, attributes: [text("a", "1"), text("b", "2")] }, { a: "1" }, ["a"]],
    ["nothing where nothing is wanted", { attributes: [text("a", "1")] }, {}, []],
  ];

test.each(cases)("has %s", (_, row, labels, wanted) => {
  expect(metadataOf([{ timeNs: 1n, ...row }], wanted)).toEqual([Object.entries(labels)]);
});

describe("whatever records have", () => {
  const attribute = fc
    .tuple(fc.constantFrom("a", "a.b", "a_b", "c", "level", "trace_id", "scope_name"), fc.constantFrom("", "x", "warn"))
    .map(([name, value]) => text(name, value));
  const attributes = fc.uniqueArray(attribute, { selector: ({ name }) => name, maxLength: 5 });
  const row: fc.Arbitrary<LogRow> = fc.record({
    timeNs: fc.constant(1n),
    body: fc.constantFrom("", "an error"),
    labels: fc.constantFrom({}, { a: "1" }, { c: "1", trace_id: "2" }),
    resource: attributes,
    scope: fc.record({
      name: fc.constantFrom("", "s"),
      version: fc.constantFrom("", "v"),
      schemaUrl: fc.constant(""),
      attributes,
    }),
    observedNs: fc.constantFrom(0n, 5n),
    severity: fc.constantFrom(0, 17),
    severityText: fc.constantFrom("", "ERROR"),
    traceId: fc.constantFrom("", "ab"),
    attributes,
  });

  test("a record with a map has the labels that it has without, and those of the map", () =>
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), (rows) => {
        const withMaps = rows.map((one) => ({
          ...one,
          attributes: [...(one.attributes ?? []), map("zz", { leaf: 1 })],
        }));
        const expected = metadataOf(rows).map((labels) => [...labels, ["zz_leaf", "1"]]);
        expect(metadataOf(withMaps)).toEqual(expected);
      }),
    ));
});

import type { Attributes } from "@sightline/model/attributes.ts";
import { labelValue } from "@sightline/model/labels.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StructuredMetadata } from "../logql/structured-metadata.ts";
import { recordLevels } from "./record-levels.ts";

const level = fc.constantFrom("", "info", "WARN", "Error", "notice", "dbg");
const attributes = (names: readonly string[]) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), level), { selector: ([name]) => name, maxLength: 2 })
    .map((pairs): Attributes => pairs.map(([name, value]) => ({ name, type: "string", value })));
const record = fc.record({
  timeNs: fc.constant(1n),
  severity: fc.constantFrom(0, 1, 9, 13, 24),
  severityText: level,
  body: fc.constantFrom("", "an ERROR here", '{"level":"debug"}', "lvl=warn x", "nothing"),
  attributes: attributes(["level", "Severity", "severity_text", "other"]),
  resource: attributes(["level", "lvl", "host.name"]),
  labels: fc.constantFrom<Record<string, string>>({ service_name: "a" }, { service_name: "a", level: "fatal" }),
});

test("are those that queries find", () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), (rows) => {
      const batch = logBatchOf(rows);
      const levelAt = recordLevels()(batch);
      const metadata = new StructuredMetadata();
      for (let row = 0; row < batch.length; row++) {
        expect(levelAt(row)).toBe(labelValue(metadata.of(batch, row), "detected_level"));
      }
    }),
  );
});

test("what is no level for its length is unknown", () => {
  const batch = logBatchOf([{ timeNs: 1n, severityText: "x".repeat(100) }]);
  expect(recordLevels()(batch)(0)).toBe("unknown");
});

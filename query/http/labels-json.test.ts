import type { Labels } from "@sightline/model/labels.ts";
import { CODE_POINT } from "@sightline/model/testing/code-point.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { labelsJson, labelsJsonWriter, mergedLabelsJson } from "./labels-json.ts";

const labels: fc.Arbitrary<Labels> = fc.array(
  fc.tuple(fc.constantFrom("a", "b", '"'), fc.oneof(fc.constantFrom("x", "y\n"), fc.string())),
  { maxLength: 4 },
);

test("many label sets are written as each alone", () =>
  fc.assert(
    fc.property(fc.array(labels), (sets) => {
      expect(sets.map(labelsJsonWriter())).toEqual(sets.map(labelsJson));
    }),
  ));

test("labels are written as JSON.stringify writes them, whatever is in them and however long they are", () =>
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.tuple(
          fc.oneof(fc.string(), fc.string({ unit: CODE_POINT })),
          fc.oneof(
            fc.string(),
            fc.string({ unit: CODE_POINT }),
            fc.nat(5_000).map((length) => "x".repeat(length)),
          ),
        ),
        // Names that are numbers would come first in an object.
        { selector: ([name]) => name, maxLength: 8 },
      ),
      (pairs) => {
        const set = pairs.map(([name, value]) => [`_${name}`, value] as const);
        expect(labelsJson(set)).toBe(JSON.stringify(Object.fromEntries(set)));
      },
    ),
  ));

test("several sets are written as one, and of labels with one name the last", () => {
  const sorted = fc
    .uniqueArray(fc.tuple(fc.constantFrom("_a", "_b", "_c", "_d", "_ä", '_"'), fc.string()), {
      selector: ([name]) => name,
    })
    .map((pairs) => pairs.toSorted(([x], [y]) => (x < y ? -1 : 1)));
  fc.assert(
    fc.property(sorted, sorted, sorted, (a, b, c) => {
      const all = [...new Map([...a, ...b, ...c])].sort(([x], [y]) => (x < y ? -1 : 1));
      expect(mergedLabelsJson(a, b, c)).toBe(labelsJson(all));
    }),
  );
});

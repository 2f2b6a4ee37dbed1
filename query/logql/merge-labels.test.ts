import { labelsFrom } from "@sightline/model/labels.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { mergeLabels } from "./merge-labels.ts";

const labels = fc
  .dictionary(fc.string({ minLength: 1, maxLength: 2 }), fc.string({ minLength: 1 }), { noNullPrototype: true })
  .map((record) => labelsFrom(record));

test("two label sets become one, sorted, and the second wins", () => {
  fc.assert(
    fc.property(labels, labels, (a, b) => {
      expect(mergeLabels(a, b)).toEqual(labelsFrom([...a, ...b]));
    }),
  );
});

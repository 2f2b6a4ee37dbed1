import type { Labels } from "@sightline/model/labels.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { labelsJson, labelsJsonWriter } from "./labels-json.ts";

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

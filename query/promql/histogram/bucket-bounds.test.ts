import { CUSTOM_BUCKETS_SCHEMA } from "@sightline/model/histogram.ts";
import { expect, test } from "vitest";
import { upperBound } from "./bucket-bounds.ts";

const NONE = new Float64Array(0);

// As a running Prometheus prints them.
test.each([
  [0, 0, 1],
  [3, 0, 8],
  [-4, 0, 0.0625],
  [1, 1, Math.SQRT2 - Number.EPSILON],
  [-1, 1, 0.7071067811865475],
  [-67, 3, 0.0030121305183748843],
  [-68, 3, 0.002762135864009951],
  [-66, 3, 0.003284751622084822],
  [-65, 3, 0.0035820470437682465],
  [-64, 3, 0.00390625],
  [43, 3, 41.49886574883231],
  [1, -2, 16],
  [-1, -4, 2 ** -16],
  [1023, 0, 2 ** 1023],
  [1024, 0, Number.MAX_VALUE],
  [1024 * 8, 3, Number.MAX_VALUE],
  [1025, 0, Number.POSITIVE_INFINITY],
  [-1074, 0, 5e-324],
])("bucket %d of schema %d ends at %d", (index, schema, bound) => expect(upperBound(index, schema, NONE)).toBe(bound));

test("bounds ascend, and those of a schema are among those of the next", () => {
  for (let schema = -4; schema < 8; schema++) {
    for (let index = -60; index < 60; index++) {
      const bound = upperBound(index, schema, NONE);
      expect(bound).toBeLessThan(upperBound(index + 1, schema, NONE));
      expect(upperBound(2 * index, schema + 1, NONE)).toBe(bound);
    }
  }
});

test("custom bounds are as given, with infinities around them", () => {
  const bounds = [-1, 0, 1, 2, 3].map((index) => upperBound(index, CUSTOM_BUCKETS_SCHEMA, Float64Array.of(1, 5)));
  expect(bounds).toEqual([Number.NEGATIVE_INFINITY, 1, 5, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { formatFloat, formatGeneral } from "./format-float.ts";

test.each([
  [0, "0"],
  [-0, "-0"],
  [1.5, "1.5"],
  [1e21, "1000000000000000000000"],
  [1.25e-7, "0.000000125"],
  [-1.7976931348623157e308, `-17976931348623157${"0".repeat(292)}`],
  [5e-324, `0.${"0".repeat(323)}5`],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("formats %d as Go does", (value, want) => expect(formatFloat(value)).toBe(want));

test("a formatted float reads as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(formatFloat(value)).not.toMatch(/e/i);
      expect(Number(formatFloat(value))).toBe(value);
      expect(Number(formatGeneral(value))).toBe(value);
    }),
  );
});

test.each([
  [1e6, "1e+06"],
  [123456, "123456"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
])("formats %d as %%g does", (value, want) => expect(formatGeneral(value)).toBe(want));

test.each([
  ["1h30m", 5_400_000],
  ["1y2w3d4h5m6s7ms", 365 * 86_400_000 + 17 * 86_400_000 + 14_706_007],
  ["0", 0],
  ["90", undefined],
  ["5m1h", undefined],
  ["", undefined],
  ["300y", Number.POSITIVE_INFINITY],
])("reads duration %j", (text, want) => expect(parseDuration(text)).toBe(want));

test("a formatted duration reads as the same one", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
    }),
  );
});

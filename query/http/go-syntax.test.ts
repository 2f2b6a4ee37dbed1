import { describe, expect, test } from "vitest";
import { parseGoFloat, parseGoInt, parseRfc3339Ns, parseSecondsOrDuration, secondsToNs } from "./go-syntax.ts";

test.each([
  ["1", 1],
  ["+1.5e3", 1500],
  [".5", 0.5],
  ["5.", 5],
  ["-Inf", Number.NEGATIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["NaN", Number.NaN],
  ["", undefined],
  [" 1", undefined],
  ["1e999", undefined],
  ["0x10", undefined],
  ["1_000", undefined],
])("reads the float %j as %s", (text, want) => expect(parseGoFloat(text)).toEqual(want));

test.each([
  ["9223372036854775807", 9_223_372_036_854_775_807n],
  ["9223372036854775808", undefined],
  ["-5", -5n],
  ["+5", 5n],
  ["5.0", undefined],
  ["", undefined],
])("reads the integer %j as %s", (text, want) => expect(parseGoInt(text)).toBe(want));

test.each([
  ["1970-01-01T00:00:00Z", 0n],
  ["2024-02-29T23:59:59.123456789Z", 1_709_251_199_123_456_789n],
  ["2024-02-29T23:59:59.5+02:00", 1_709_243_999_500_000_000n],
  ["1969-12-31T23:59:59.999999999Z", -1n],
  ["2023-02-29T00:00:00Z", undefined],
  ["2024-01-01T24:00:00Z", undefined],
  ["2024-01-01 00:00:00Z", undefined],
  ["2024-01-01T00:00:00", undefined],
])("reads the time %j as %s ns", (text, want) => expect(parseRfc3339Ns(text)).toBe(want));

describe("seconds or a duration", () => {
  test.each([
    ["15", { ms: 15_000 }],
    ["0.5", { ms: 500 }],
    ["1h30m", { ms: 5_400_000 }],
    ["250ms", { ms: 250 }],
    ["-5", { ms: -5_000 }],
    ["30m1h", { error: 'cannot parse "30m1h" to a valid duration' }],
    ["", { error: 'cannot parse "" to a valid duration' }],
    ["1e20", { error: 'cannot parse "1e20" to a valid duration. It overflows int64' }],
    ["300y", { error: 'cannot parse "300y" to a valid duration' }],
  ])("%j is %j", (text, want) => expect(parseSecondsOrDuration(text)).toEqual(want));
});

test("a fraction of a second is rounded to milliseconds", () => {
  expect(secondsToNs(1_700_000_000.1234)).toBe(1_700_000_000_123_000_000n);
  expect(secondsToNs(-1.5)).toBe(-1_500_000_000n);
});

import { expect, test } from "vitest";
import { formatDateTime, parseDateTime } from "./date-time.ts";

test.each([
  ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"],
  ["2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123Z"],
  ["2026-01-02T03:04:05.1+02:30", "2026-01-02T00:34:05.100Z"],
  ["2026-01-02T03:04:05-0130", "2026-01-02T04:34:05.000Z"],
  ["2026-01-02 03:04:05Z", "2026-01-02T03:04:05.000Z"],
  ["2026-01-02", "2026-01-02T00:00:00.000Z"],
])("%s is %s", (text, want) => {
  expect(formatDateTime(parseDateTime(text) as number)).toBe(want);
});

test.each([undefined, null, "", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"])("%j is no time", (text) => {
  expect(parseDateTime(text)).toBeUndefined();
});

test.each(["yesterday", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", 5, {}, "2026"])("%j is wrong", (text) => {
  expect(parseDateTime(text)).toBeNull();
});

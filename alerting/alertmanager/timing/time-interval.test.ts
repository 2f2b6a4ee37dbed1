import { describe, expect, test } from "vitest";
import { intervalContains, type TimeInterval } from "./time-interval.ts";

describe("an interval contains a time when all of its fields do", () => {
  test.each<[TimeInterval, string, boolean]>([
    [{}, "2026-03-04T05:06:07Z", true],
    [{ times: [{ startMinute: 540, endMinute: 1020 }] }, "2026-03-04T09:00:00Z", true],
    [{ times: [{ startMinute: 540, endMinute: 1020 }] }, "2026-03-04T16:59:59Z", true],
    [{ times: [{ startMinute: 540, endMinute: 1020 }] }, "2026-03-04T17:00:00Z", false],
    [{ times: [{ startMinute: 540, endMinute: 1020 }], location: "Europe/Berlin" }, "2026-07-04T07:00:00Z", true],
    [{ times: [{ startMinute: 540, endMinute: 1020 }], location: "Europe/Berlin" }, "2026-01-04T07:00:00Z", false],
    [{ times: [{ startMinute: 0, endMinute: 1440 }] }, "2026-03-04T23:59:59Z", true],
    [{ weekdays: [{ begin: 1, end: 5 }] }, "2026-03-06T12:00:00Z", true],
    [{ weekdays: [{ begin: 1, end: 5 }] }, "2026-03-07T12:00:00Z", false],
    [{ daysOfMonth: [{ begin: -1, end: -1 }] }, "2028-02-29T12:00:00Z", true],
    [{ daysOfMonth: [{ begin: -1, end: -1 }] }, "2028-02-28T12:00:00Z", false],
    [{ daysOfMonth: [{ begin: 25, end: 31 }] }, "2026-02-28T12:00:00Z", true],
    [{ daysOfMonth: [{ begin: 30, end: 31 }] }, "2026-02-28T12:00:00Z", false],
    [{ daysOfMonth: [{ begin: 1, end: -1 }] }, "2026-02-28T12:00:00Z", true],
    [{ months: [{ begin: 11, end: 12 }], years: [{ begin: 2026, end: 2027 }] }, "2027-11-01T00:00:00Z", true],
    [{ months: [{ begin: 11, end: 12 }], years: [{ begin: 2026, end: 2027 }] }, "2028-11-01T00:00:00Z", false],
    [{ weekdays: [{ begin: 6, end: 6 }], location: "Pacific/Auckland" }, "2026-03-06T12:00:00Z", true],
  ])("%j %s: %s", (interval, time, want) => {
    expect(intervalContains(interval, Date.parse(time))).toBe(want);
  });
});

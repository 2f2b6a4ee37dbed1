import fc from "fast-check";
import { expect, test } from "vitest";
import { goDate } from "./go-date.ts";

test("is the date that JavaScript knows, where it knows one", () => {
  fc.assert(
    fc.property(fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 }), (seconds) => {
      const date = new Date(seconds * 1000);
      const startOfYear = new Date(date);
      startOfYear.setUTCMonth(0, 1);
      const nextMonth = new Date(date);
      nextMonth.setUTCDate(1);
      nextMonth.setUTCMonth(date.getUTCMonth() + 1, 0);
      fc.pre(!Number.isNaN(startOfYear.getTime()) && !Number.isNaN(nextMonth.getTime()));
      expect(goDate(seconds)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        dayOfMonth: date.getUTCDate(),
        dayOfWeek: date.getUTCDay(),
        dayOfYear: (date.getTime() - startOfYear.getTime()) / 86_400_000 + 1,
        daysInMonth: nextMonth.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
      });
    }),
  );
});

// Answers of Prometheus.
test.each([
  [Number.NaN, 292277026596, 12, 339],
  [Number.POSITIVE_INFINITY, 292277026596, 12, 339],
  [1e300, 292277026596, 12, 339],
  [1e18, 31688740476, 10, 297],
  [-1e18, -31688736537, 3, 69],
  [-62135596801, 0, 12, 366],
  [-1.5, 1969, 12, 365],
])("of %d seconds has the year %d, month %d and day of the year %d, as in Go", (seconds, year, month, dayOfYear) => {
  expect(goDate(seconds)).toMatchObject({ year, month, dayOfYear });
});

import { InvalidInputError } from "@sightline/model/errors.ts";

/** Both ends belong to it. */
export type InclusiveRange = { readonly begin: number; readonly end: number };
/** Minutes of a day; the end does not belong to it. */
export type MinuteRange = { readonly startMinute: number; readonly endMinute: number };

/**
 * Times of a calendar (timeinterval/timeinterval.go): all fields that are there must agree, each in one of its ranges. Days of
 * the month that are negative count from its end. `location` is a name of the IANA database; without one it is UTC.
 */
export type TimeInterval = {
  readonly times?: readonly MinuteRange[] | undefined;
  readonly weekdays?: readonly InclusiveRange[] | undefined;
  readonly daysOfMonth?: readonly InclusiveRange[] | undefined;
  readonly months?: readonly InclusiveRange[] | undefined;
  readonly years?: readonly InclusiveRange[] | undefined;
  readonly location?: string | undefined;
};

type LocalTime = {
  readonly minute: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly weekday: number;
};

export function intervalContains(interval: TimeInterval, timeMs: number): boolean {
  const time = localTime(timeMs, interval.location ?? "UTC");
  const within = (ranges: readonly InclusiveRange[] | undefined, value: number) =>
    ranges === undefined || ranges.some(({ begin, end }) => value >= begin && value <= end);
  return (
    (interval.times === undefined ||
      interval.times.some(({ startMinute, endMinute }) => time.minute >= startMinute && time.minute < endMinute)) &&
    (interval.daysOfMonth === undefined || interval.daysOfMonth.some((range) => dayWithin(range, time))) &&
    within(interval.months, time.month) &&
    within(interval.weekdays, time.weekday) &&
    within(interval.years, time.year)
  );
}

function dayWithin({ begin, end }: InclusiveRange, { day, month, year }: LocalTime): boolean {
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const first = begin < 0 ? lastDay + begin + 1 : begin;
  const last = end < 0 ? lastDay + end + 1 : end;
  return first <= lastDay && day >= first && day <= Math.min(last, lastDay);
}

const formats = new Map<string, Intl.DateTimeFormat>();
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

function localTime(timeMs: number, location: string): LocalTime {
  const parts = Object.fromEntries(
    formatOf(location)
      .formatToParts(timeMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    minute: Number(parts.hour) * 60 + Number(parts.minute),
    day: Number(parts.day),
    month: Number(parts.month),
    year: Number(parts.year),
    weekday: WEEKDAYS.indexOf(parts.weekday as string),
  };
}

/** The runtime's own database of time zones, and as many formats as it has zones. Throws `InvalidInputError`. */
function formatOf(location: string): Intl.DateTimeFormat {
  const known = formats.get(location);
  if (known) return known;
  try {
    const timeZone = location === "Local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : location;
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      weekday: "short",
      hour: "numeric",
      minute: "numeric",
    });
    formats.set(location, format);
    return format;
  } catch (cause) {
    throw new InvalidInputError(`unknown time zone ${location}`, { cause });
  }
}

/** Throws `InvalidInputError` when there is no such zone. */
export function assertLocation(location: string): void {
  if (/^[+-]/.test(location)) throw new InvalidInputError(`unknown time zone ${location}`);
  formatOf(location);
}

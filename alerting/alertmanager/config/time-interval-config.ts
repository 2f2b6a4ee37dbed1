import { InvalidInputError } from "@sightline/model/errors.ts";
import { assertLocation, type InclusiveRange, type MinuteRange, type TimeInterval } from "../timing/time-interval.ts";
import type { YamlReader, YamlValue } from "./yaml-reader.ts";

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = [
  "",
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];
const FIELDS = new Set(["times", "weekdays", "days_of_month", "months", "years", "location"]);
const NAMED_FIELDS = new Set(["name", "time_intervals"]);
const TIME_FIELDS = new Set(["start_time", "end_time"]);
const NULL_RANGE: InclusiveRange = { begin: 0, end: 0 };
const TIME = /^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/;

/** `what`: `time interval` or `mute time interval`. Throws `InvalidInputError` in Alertmanager's words. */
export function readNamedIntervals(
  reader: YamlReader,
  value: YamlValue,
  what: string,
): { readonly name: string; readonly intervals: readonly TimeInterval[] } {
  if (value === undefined) return { name: "", intervals: [] };
  const fields = reader.fields(value, "config.plain", NAMED_FIELDS);
  const name = reader.text(fields.get("name")) ?? "";
  if (name === "") throw new InvalidInputError(`missing name in ${what}`);
  const intervals = reader.list(fields.get("time_intervals"), "timeinterval.TimeInterval");
  return { name, intervals: intervals.map((interval) => readInterval(reader, interval)) };
}

function readInterval(reader: YamlReader, value: YamlValue): TimeInterval {
  const fields = reader.fields(value, "timeinterval.TimeInterval", FIELDS);
  const ranges = (name: string, typeName: string, read: (text: string) => InclusiveRange) => {
    const list = fields.get(name);
    // An entry that is null has Go's zero values.
    return list && reader.list(list, typeName).map((entry) => (entry ? read(lowerText(reader, entry)) : NULL_RANGE));
  };
  const location = reader.text(fields.get("location")) || undefined;
  if (location !== undefined) assertLocation(location);
  const times = fields.get("times");
  return {
    times: times && reader.list(times, "timeinterval.TimeRange").map((range) => readTimes(reader, range)),
    weekdays: ranges("weekdays", "timeinterval.WeekdayRange", weekdayRange),
    daysOfMonth: ranges("days_of_month", "timeinterval.DayOfMonthRange", dayRange),
    months: ranges("months", "timeinterval.MonthRange", monthRange),
    years: ranges("years", "timeinterval.YearRange", yearRange),
    location,
  };
}

function lowerText(reader: YamlReader, value: YamlValue): string {
  return (reader.text(value) ?? "").toLowerCase();
}

function readTimes(reader: YamlReader, value: YamlValue): MinuteRange {
  if (value === undefined) return { startMinute: 0, endMinute: 0 };
  const fields = reader.fields(value, "timeinterval.yamlTimeRange", TIME_FIELDS);
  const [start = "", end = ""] = [reader.text(fields.get("start_time")), reader.text(fields.get("end_time"))];
  if (start === "" || end === "") throw new InvalidInputError("both start and end times must be provided");
  const [startMinute, endMinute] = [minuteOf(start), minuteOf(end)];
  if (startMinute >= endMinute) {
    throw new InvalidInputError("start time cannot be equal or greater than end time");
  }
  return { startMinute, endMinute };
}

function minuteOf(text: string): number {
  if (!TIME.test(text)) throw new InvalidInputError(`couldn't parse timestamp ${text}, invalid format`);
  const [hours, minutes] = text.split(":").map(Number);
  return (hours as number) * 60 + (minutes as number);
}

function rangeOf(text: string, member: (text: string) => number): InclusiveRange {
  const parts = text.split(":");
  if (parts.length > 2) throw new InvalidInputError(`couldn't parse range ${text}, invalid format`);
  const [begin, end = begin] = parts.map(member);
  return { begin: begin as number, end: end as number };
}

function wholeNumber(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new InvalidInputError(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function weekdayRange(text: string): InclusiveRange {
  const range = rangeOf(text, (name) => {
    const day = WEEKDAYS.indexOf(name);
    if (day < 0) throw new InvalidInputError(`${name} is not a valid weekday`);
    return day;
  });
  if (range.begin > range.end) throw new InvalidInputError("start day cannot be before end day");
  return range;
}

function dayRange(text: string): InclusiveRange {
  const range = rangeOf(text, wholeNumber);
  const { begin, end } = range;
  for (const day of [begin, end]) {
    if (day === 0 || Math.abs(day) > 31) {
      throw new InvalidInputError(`${day} is not a valid day of the month: out of range`);
    }
  }
  if (begin < 0 && end > 0) throw new InvalidInputError("end day must be negative if start day is negative");
  // Not known for all months; in the shortest one it has to be possible.
  const inShortest = (day: number) => (day < 0 ? 28 + day : day);
  if (inShortest(begin) > inShortest(end)) {
    throw new InvalidInputError(`end day ${end} is always before start day ${begin}`);
  }
  return range;
}

function monthRange(text: string): InclusiveRange {
  const range = rangeOf(text, (name) => {
    const month = MONTHS.indexOf(name);
    if (month > 0) return month;
    if (/^[+-]?\d+$/.test(name)) return Number(name);
    throw new InvalidInputError(`${name} is not a valid month`);
  });
  if (range.begin > range.end) {
    throw new InvalidInputError(`end month ${MONTHS[range.end]} is before start month ${MONTHS[range.begin]}`);
  }
  return range;
}

function yearRange(text: string): InclusiveRange {
  const range = rangeOf(text, wholeNumber);
  if (range.begin > range.end) {
    throw new InvalidInputError(`end year ${range.end} is before start year ${range.begin}`);
  }
  return range;
}

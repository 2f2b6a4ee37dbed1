import { formatGoDuration } from "../go-duration.ts";
import { formatGoTime, UTC, ZERO_TIME } from "./go-time.ts";
import { GoTimeValue, type GoValue, Int64, NamedInt, namedMethod, type ValueMethod } from "./go-value.ts";

const NS_PER_SECOND = 1_000_000_000n;
const DAY_MS = 86_400_000;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

type TimeCall = (time: GoTimeValue, args: readonly GoValue[]) => GoValue;
const ofTime = (call: TimeCall, ...parameters: ValueMethod["parameters"]): ValueMethod => ({
  parameters,
  call: (receiver, args) => call(receiver as GoTimeValue, args),
});

/** The time as its zone shows it. */
function local({ time }: GoTimeValue): Date {
  return new Date(`${formatGoTime(time, "2006-01-02T15:04:05")}Z`);
}

const part = (read: (date: Date) => number) => ofTime((time) => BigInt(read(local(time))));
const since = (unitNs: bigint) => ofTime(({ time }) => new Int64(floorDivided(time.ns, unitNs)));

function floorDivided(value: bigint, by: bigint): bigint {
  return value / by - (value % by < 0n ? 1n : 0n);
}

export function durationOf(ns: bigint): NamedInt {
  return new NamedInt("time.Duration", ns, formatGoDuration(Number(ns)));
}

function dayOfYear(date: Date): number {
  // Date.UTC takes years below 100 for those of the last century.
  const first = new Date(date).setUTCMonth(0, 1);
  return Math.floor((date.getTime() - new Date(first).setUTCHours(0, 0, 0, 0)) / DAY_MS) + 1;
}

const shifted = ({ time }: GoTimeValue, ns: bigint) => new GoTimeValue({ ...time, ns: time.ns + ns });
const nsOf = (time: GoValue | undefined) => (time as GoTimeValue).time.ns;
const numberOf = (value: GoValue | undefined) => Number(value as bigint);

function addDate(value: GoTimeValue, [years, months, days]: readonly GoValue[]): GoTimeValue {
  const before = local(value);
  // The thirty-first of a shorter month runs over into the next, as in Go.
  const target = Date.UTC(
    before.getUTCFullYear() + numberOf(years),
    before.getUTCMonth() + numberOf(months),
    before.getUTCDate() + numberOf(days),
    before.getUTCHours(),
    before.getUTCMinutes(),
    before.getUTCSeconds(),
  );
  return shifted(value, BigInt(target - before.getTime()) * 1_000_000n);
}

/** Methods of time.Time that give one value. */
const TIME_METHODS: ReadonlyMap<string, ValueMethod> = new Map([
  ["Unix", since(NS_PER_SECOND)],
  ["UnixMilli", since(1_000_000n)],
  ["UnixMicro", since(1_000n)],
  ["UnixNano", since(1n)],
  ["Year", part((date) => date.getUTCFullYear())],
  ["Day", part((date) => date.getUTCDate())],
  ["Hour", part((date) => date.getUTCHours())],
  ["Minute", part((date) => date.getUTCMinutes())],
  ["Second", part((date) => date.getUTCSeconds())],
  ["YearDay", part(dayOfYear)],
  ["Nanosecond", ofTime(({ time }) => time.ns - floorDivided(time.ns, NS_PER_SECOND) * NS_PER_SECOND)],
  [
    "Month",
    ofTime((time) => {
      const month = local(time).getUTCMonth();
      return new NamedInt("time.Month", BigInt(month + 1), MONTHS[month] as string);
    }),
  ],
  [
    "Weekday",
    ofTime((time) => {
      const day = local(time).getUTCDay();
      return new NamedInt("time.Weekday", BigInt(day), DAYS[day] as string);
    }),
  ],
  ["UTC", ofTime(({ time }) => new GoTimeValue({ ...time, zone: UTC }))],
  ["Local", ofTime((time) => time)],
  ["IsZero", ofTime(({ time }) => time.ns === ZERO_TIME.ns)],
  ["String", ofTime(({ time }) => formatGoTime(time, "2006-01-02 15:04:05.999999999 -0700 MST"))],
  ["Format", ofTime(({ time }, [layout]) => formatGoTime(time, layout as string), "string")],
  ["Before", ofTime((time, [other]) => nsOf(time) < nsOf(other), "time")],
  ["After", ofTime((time, [other]) => nsOf(time) > nsOf(other), "time")],
  ["Equal", ofTime((time, [other]) => nsOf(time) === nsOf(other), "time")],
  ["Sub", ofTime((time, [other]) => durationOf(nsOf(time) - nsOf(other)), "time")],
  ["Add", ofTime((time, [duration]) => shifted(time, nsOfDuration(duration)), "duration")],
  [
    "Truncate",
    ofTime((time, [duration]) => {
      const unit = nsOfDuration(duration);
      return unit <= 0n ? time : shifted(time, floorDivided(nsOf(time), unit) * unit - nsOf(time));
    }, "duration"),
  ],
  ["AddDate", ofTime(addDate, "int", "int", "int")],
]);

function nsOfDuration(value: GoValue | undefined): bigint {
  return value instanceof NamedInt ? value.value : (value as bigint);
}

const ofNamed = (call: (value: NamedInt) => GoValue): ValueMethod => ({
  parameters: [],
  call: (receiver) => call(receiver as NamedInt),
});
const text = ofNamed(({ text: shown }) => shown);
const inUnits = (unitNs: number) => ofNamed(({ value }) => Number(value) / unitNs);

const DURATION_METHODS: ReadonlyMap<string, ValueMethod> = new Map([
  ["String", text],
  ["Seconds", inUnits(1e9)],
  ["Minutes", inUnits(6e10)],
  ["Hours", inUnits(3.6e12)],
  ["Nanoseconds", ofNamed(({ value }) => new Int64(value))],
  ["Microseconds", ofNamed(({ value }) => new Int64(value / 1_000n))],
  ["Milliseconds", ofNamed(({ value }) => new Int64(value / 1_000_000n))],
  ["Abs", ofNamed(({ value }) => durationOf(value < 0n ? -value : value))],
]);
const NAMED_METHODS: ReadonlyMap<string, ValueMethod> = new Map([["String", text]]);

/** Undefined when a value of its type has no such method. */
export function methodOf(value: GoValue, name: string): ValueMethod | undefined {
  if (value instanceof GoTimeValue) return TIME_METHODS.get(name);
  if (!(value instanceof NamedInt)) return namedMethod(value, name);
  return (value.typeName === "time.Duration" ? DURATION_METHODS : NAMED_METHODS).get(name);
}

import {
  formatGoTime,
  type GoTime,
  loadZone,
  parseGoTime,
  UTC,
  ZERO_TIME,
} from "@sightline/model/go-template/go-time.ts";
import { GoTimeValue, type GoValue, Int64 } from "@sightline/model/go-template/go-value.ts";
import type { TemplateFunctions } from "@sightline/model/go-template/template-function.ts";
import type { LineContext } from "./line-context.ts";

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/** By the number of its digits an integer is in days, seconds, milliseconds, microseconds or nanoseconds. */
const UNIT_NS: ReadonlyMap<number, bigint> = new Map([
  [5, 86_400n * NS_PER_SECOND],
  [10, NS_PER_SECOND],
  [13, NS_PER_MS],
  [16, 1_000n],
  [19, 1n],
]);

function unixToTime(text: string): GoTimeValue {
  const isInteger = /^[+-]?\d+$/.test(text);
  const unit = UNIT_NS.get(text.length);
  if (!isInteger) {
    throw new Error(
      `unable to parse time '${text}': strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  if (unit === undefined) throw new Error(`unable to parse time '${text}': %!w(<nil>)`);
  return new GoTimeValue({ ns: BigInt(text) * unit, zone: UTC });
}

function now(): GoTime {
  return { ns: BigInt(Date.now()) * NS_PER_MS, zone: UTC };
}

/** A time, or seconds since the epoch; everything else is now. */
function timeOf(value: GoValue): GoTime {
  if (value instanceof GoTimeValue) return value.time;
  if (value instanceof Int64) return { ns: value.value * NS_PER_SECOND, zone: UTC };
  return typeof value === "bigint" ? { ns: value * NS_PER_SECOND, zone: UTC } : now();
}

function floorTo({ ns }: GoTime, unitNs: bigint): string {
  const quotient = ns / unitNs;
  return String(ns % unitNs < 0n ? quotient - 1n : quotient);
}

const inTime = (value: GoValue | undefined): GoTime => (value as GoTimeValue).time;

/** Functions of time. The server's own zone is UTC. */
export const TIME_FUNCTIONS: TemplateFunctions<LineContext> = {
  now: { parameters: [], call: () => new GoTimeValue(now()) },
  date: {
    parameters: ["string", "any"],
    call: ([layout, value]) => formatGoTime({ ...timeOf(value as GoValue), zone: UTC }, layout as string),
  },
  toDate: {
    parameters: ["string", "string"],
    call: ([layout, text]) => new GoTimeValue(parseGoTime(layout as string, text as string, UTC) ?? ZERO_TIME),
  },
  toDateInZone: {
    parameters: ["string", "string", "string"],
    call: ([layout, zone, text]) => {
      const time = parseGoTime(layout as string, text as string, loadZone(zone as string) ?? UTC);
      return new GoTimeValue(time ?? ZERO_TIME);
    },
  },
  unixToTime: { parameters: ["string"], call: ([text]) => unixToTime(text as string) },
  unixEpoch: { parameters: ["time"], call: ([time]) => floorTo(inTime(time), NS_PER_SECOND) },
  unixEpochMillis: { parameters: ["time"], call: ([time]) => floorTo(inTime(time), NS_PER_MS) },
  unixEpochNanos: { parameters: ["time"], call: ([time]) => String(inTime(time).ns) },
  __timestamp__: { parameters: [], call: (_, __, { time }) => new GoTimeValue(time) },
  __line__: { parameters: [], call: (_, __, { line }) => line },
};

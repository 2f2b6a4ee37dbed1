import { InvalidInputError } from "@sightline/model/errors.ts";
import { parsePrometheusDuration } from "@sightline/model/go-duration.ts";
import type { TimeRangeNs } from "@sightline/model/time-range.ts";
import {
  goIntError,
  parseGoFloat,
  parseGoInt,
  parseRfc3339Ns,
  parseSecondsOrDuration,
  secondsToNs,
} from "../http/go-syntax.ts";
import type { RequestParameters } from "../http/request-parameters.ts";

/**
 * Request parameters read as Loki's pkg/loghttp reads them, with its words for what is wrong. Everything here throws
 * `InvalidInputError`.
 */

const NS_PER_MS = 1_000_000n;
export const DEFAULT_LIMIT = 100;
const DEFAULT_SINCE_MS = 3_600_000;
const MAX_UINT32 = 4_294_967_295n;
const MAX_POINTS = 11_000n;
/** Integers up to this many digits are seconds, longer ones nanoseconds. */
const SECONDS_DIGITS = 10;

/** Nanoseconds since the epoch: seconds with a fraction, integral seconds or nanoseconds, or RFC 3339. */
function timeNs(text: string, defaultNs: bigint): bigint {
  if (text === "") return defaultNs;
  if (text.includes(".")) {
    const seconds = parseGoFloat(text);
    if (seconds !== undefined && Math.abs(seconds) < 1e11) return secondsToNs(seconds);
  }
  const integer = parseGoInt(text);
  if (integer !== undefined) return text.length <= SECONDS_DIGITS ? integer * 1_000_000_000n : integer;
  const time = parseRfc3339Ns(text);
  if (time === undefined) throw new InvalidInputError(goIntError("ParseInt", text));
  return time;
}

function wrapped<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new InvalidInputError(`could not parse '${name}' parameter: ${(cause as Error).message}`, { cause });
  }
}

/** `start`, `end` and `since`: the last hour when they are missing. */
export function readRange(parameters: RequestParameters, nowMs: number): TimeRangeNs {
  const nowNs = BigInt(nowMs) * NS_PER_MS;
  const sinceText = parameters.get("since");
  const sinceMs = sinceText === "" ? DEFAULT_SINCE_MS : wrapped("since", () => durationMs(sinceText));
  const endNs = wrapped("end", () => timeNs(parameters.get("end"), nowNs));
  // `since` counts from the end, or from now when the end is still to come.
  const latestNs = endNs > nowNs ? nowNs : endNs;
  const startNs = wrapped("start", () => timeNs(parameters.get("start"), latestNs - BigInt(sinceMs) * NS_PER_MS));
  return { startNs, endNs };
}

function durationMs(text: string): number {
  const duration = parsePrometheusDuration(text);
  if ("error" in duration) throw new InvalidInputError(duration.error);
  return duration.ns / 1e6;
}

export function readTime(parameters: RequestParameters, nowMs: number): bigint {
  return timeNs(parameters.get("time"), BigInt(nowMs) * NS_PER_MS);
}

/** A time under another name. */
export function readTimeOf(parameters: RequestParameters, name: string, defaultNs: bigint): bigint {
  return wrapped(name, () => timeNs(parameters.get(name), defaultNs));
}

export function readLimit(parameters: RequestParameters): number {
  const text = parameters.get("limit");
  if (text === "") return DEFAULT_LIMIT;
  const limit = parseGoInt(text);
  if (limit === undefined) throw new InvalidInputError(goIntError("Atoi", text));
  if (limit <= 0n) throw new InvalidInputError("limit must be a positive value");
  if (limit > MAX_UINT32) throw new InvalidInputError(`limit value ${limit} is out of range [0, ${MAX_UINT32}]`);
  return Number(limit);
}

/** True for `backward`, which is the default. */
export function readNewestFirst(parameters: RequestParameters): boolean {
  const text = parameters.get("direction");
  const direction = text.toUpperCase();
  if (direction === "" || direction === "BACKWARD") return true;
  if (direction === "FORWARD") return false;
  throw new InvalidInputError(`invalid direction '${text}'`);
}

/** `start`, `end`, `limit`, `direction`, `step` and `interval` of a range query, checked in Loki's order. */
export function readRangeQuery(parameters: RequestParameters, nowMs: number) {
  const { startNs, endNs } = readRange(parameters, nowMs);
  if (endNs < startNs) throw endBeforeStart();
  const limit = readLimit(parameters);
  const newestFirst = readNewestFirst(parameters);
  const stepNs = readStepWithin(parameters, { startNs, endNs });
  const intervalNs = readDurationNs(parameters.get("interval")) ?? 0n;
  if (intervalNs < 0n) throw new InvalidInputError("interval must be >= 0");
  return { startNs, endNs, limit, newestFirst, stepNs, intervalNs };
}

/** The step, or one that makes about 250 points of the range. */
export function readStepWithin(parameters: RequestParameters, { startNs, endNs }: TimeRangeNs): bigint {
  const stepNs = readStep(parameters) ?? defaultStepNs(startNs, endNs);
  if (stepNs <= 0n) {
    throw new InvalidInputError(
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  if ((endNs - startNs) / stepNs > MAX_POINTS) {
    throw new InvalidInputError(
      "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter",
    );
  }
  return stepNs;
}

/** Undefined when there is none. */
export function readStep(parameters: RequestParameters): bigint | undefined {
  return readDurationNs(parameters.get("step"));
}

function readDurationNs(text: string): bigint | undefined {
  if (text === "") return undefined;
  // In Go the least of all durations.
  if (Number.isNaN(parseGoFloat(text))) return -1n;
  const duration = parseSecondsOrDuration(text);
  if ("error" in duration) throw new InvalidInputError(duration.error);
  return BigInt(Math.trunc(duration.ms * 1e6));
}

function defaultStepNs(startNs: bigint, endNs: bigint): bigint {
  const seconds = (endNs - startNs) / 1_000_000_000n / 250n;
  return (seconds < 1n ? 1n : seconds) * 1_000_000_000n;
}

export function endBeforeStart(): InvalidInputError {
  return new InvalidInputError("end timestamp must not be before or equal to start time");
}

/** What Loki says to an empty text in place of a selector. */
export function emptyQueryError(): InvalidInputError {
  return new InvalidInputError("parse error : syntax error: unexpected $end");
}

import { InvalidInputError } from "@sightline/model/errors.ts";
import type { TimeRange } from "@sightline/model/time-range.ts";
import {
  goIntError,
  parseGoFloat,
  parseGoInt,
  parseRfc3339Ns,
  parseSecondsOrDuration,
  secondsToMs,
} from "../http/go-syntax.ts";
import type { RequestParameters } from "../http/request-parameters.ts";

/**
 * Request parameters read as Prometheus' web/api/v1/api.go reads them, with its words for what is wrong. Everything
 * here throws `InvalidInputError`.
 */

/** Prometheus' own outermost times: clients send them to say "everything". Beyond what a number counts exactly. */
const MIN_TIME = "-292273086-05-16T16:47:06Z";
const MAX_TIME = "292277025-08-18T07:12:54.999999999Z";
const MIN_TIME_MS = Number.MIN_SAFE_INTEGER;
const MAX_TIME_MS = Number.MAX_SAFE_INTEGER;

export function invalidParameter(name: string, problem: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`invalid parameter ${JSON.stringify(name)}: ${problem}`, { cause });
}

/** Milliseconds since the epoch; undefined when `text` is no time. Finer fractions are cut, as far times are. */
function timeMs(text: string): number | undefined {
  const seconds = parseGoFloat(text);
  if (seconds !== undefined) {
    if (Number.isNaN(seconds)) return undefined;
    if (Math.abs(seconds) >= MAX_TIME_MS / 1_000) return seconds < 0 ? MIN_TIME_MS : MAX_TIME_MS;
    return secondsToMs(seconds);
  }
  const ns = parseRfc3339Ns(text);
  if (ns !== undefined) return Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
  if (text === MIN_TIME) return MIN_TIME_MS;
  return text === MAX_TIME ? MAX_TIME_MS : undefined;
}

function cannotParseTime(text: string): string {
  return `cannot parse ${JSON.stringify(text)} to a valid timestamp`;
}

export function requiredTimeMs(parameters: RequestParameters, name: string): number {
  const text = parameters.get(name);
  const time = timeMs(text);
  if (time === undefined) throw invalidParameter(name, cannotParseTime(text));
  return time;
}

export function optionalTimeMs(parameters: RequestParameters, name: string, defaultMs: number): number {
  try {
    return timeOrDefaultMs(parameters, name, defaultMs);
  } catch (error) {
    throw invalidParameter(name, (error as Error).message, error);
  }
}

/** {@link optionalTimeMs} for the endpoints that do not say `invalid parameter`. */
export function timeOrDefaultMs(parameters: RequestParameters, name: string, defaultMs: number): number {
  const text = parameters.get(name);
  if (text === "") return defaultMs;
  const time = timeMs(text);
  if (time === undefined) throw new InvalidInputError(`invalid time value for '${name}': ${cannotParseTime(text)}`);
  return time;
}

/** `start` and `end`, all of time when they are missing. */
export function optionalRange(parameters: RequestParameters): TimeRange {
  const startMs = optionalTimeMs(parameters, "start", MIN_TIME_MS);
  return { startMs, endMs: optionalTimeMs(parameters, "end", MAX_TIME_MS) };
}

export function requiredDurationMs(parameters: RequestParameters, name: string): number {
  const duration = parseSecondsOrDuration(parameters.get(name));
  if ("error" in duration) throw invalidParameter(name, duration.error);
  return duration.ms;
}

export function optionalTimeoutMs(parameters: RequestParameters): number | undefined {
  return parameters.get("timeout") === "" ? undefined : requiredDurationMs(parameters, "timeout");
}

/** undefined, too, when it is not positive: Prometheus takes its default then. */
export function optionalLookbackMs(parameters: RequestParameters): number | undefined {
  const text = parameters.get("lookback_delta");
  if (text === "") return undefined;
  const duration = parseSecondsOrDuration(text);
  if ("error" in duration) throw new InvalidInputError(`error parsing lookback delta duration: ${duration.error}`);
  return duration.ms > 0 ? duration.ms : undefined;
}

/** 0: no limit. */
export function optionalLimit(parameters: RequestParameters): number {
  const text = parameters.get("limit");
  if (text === "") return 0;
  const limit = parseGoInt(text);
  if (limit === undefined) throw invalidParameter("limit", goIntError("Atoi", text));
  if (limit < 0n) throw invalidParameter("limit", "limit must be non-negative");
  return Number(limit);
}

/** A limit of the metadata endpoint, which words its error otherwise; undefined: none. */
export function metadataLimit(parameters: RequestParameters, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === "") return undefined;
  const limit = parseGoInt(text);
  if (limit === undefined) throw new InvalidInputError(`${name} must be a number`);
  return limit < 0n ? undefined : Number(limit);
}

/** Points of one series in one answer: enough for a week by minutes or a year by hours. */
const MAX_POINTS = 11_000;

/** `start`, `end` and `step` of a range query, checked in Prometheus' order. `stepMs` is integral and positive. */
export function requiredSteps(parameters: RequestParameters): TimeRange & { readonly stepMs: number } {
  const startMs = requiredTimeMs(parameters, "start");
  const endMs = requiredTimeMs(parameters, "end");
  if (endMs < startMs) throw invalidParameter("end", "end timestamp must not be before start time");
  const exactStepMs = requiredDurationMs(parameters, "step");
  // Prometheus counts time in whole milliseconds when it evaluates: a finer step would stand still.
  const stepMs = Math.floor(exactStepMs);
  if (stepMs <= 0) {
    throw invalidParameter(
      "step",
      "zero or negative query resolution step widths are not accepted. Try a positive integer",
    );
  }
  if (Math.floor((endMs - startMs) / exactStepMs) > MAX_POINTS) {
    throw new InvalidInputError(
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  }
  return { startMs, endMs, stepMs };
}

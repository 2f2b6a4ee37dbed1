import { type Fault, invalid } from "./rejection-log.ts";

/** The end of ECMAScript's time: in the year 275760. */
const MAX_TIME_MS = 8.64e15;

export function isSampleTime(timeMs: number): boolean {
  return timeMs >= 0 && timeMs <= MAX_TIME_MS;
}

/** What to say of a time that is not {@link isSampleTime}. */
export function timeFault(timeMs: number): Fault {
  const where = timeMs < 0 ? "before 1970" : "after the year 275760";
  return invalid("time", `timestamp ${timeMs} is ${where}: timestamps are milliseconds since 1970`);
}

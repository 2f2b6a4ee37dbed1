import type { TimeRange } from "@sightline/model/time-range.ts";

/** Minutes since 1970, both included. */
export type MinuteRange = { first: number; last: number };

export const MINUTE_MS = 60_000;
/** What is scattered over more of them counts as one. */
const MAX_RANGES = 1_000;

/** That a time in milliseconds is in. */
export function minuteOf(timeMs: number): number {
  const minute = Math.floor(timeMs / MINUTE_MS);
  return Math.max(-9e15, Math.min(9e15, minute));
}

/** Of `length` times in no order. */
export function minutesOf(timesMs: Float64Array, length: number, others: readonly { timeMs: number }[]): MinuteRange[] {
  const minutes = new Set<number>();
  let last = Number.NaN;
  for (let i = 0; i < length; i++) {
    const minute = Math.floor((timesMs[i] as number) / MINUTE_MS);
    if (minute === last) continue;
    last = minute;
    minutes.add(minute);
  }
  for (const { timeMs } of others) minutes.add(Math.floor(timeMs / MINUTE_MS));
  const sorted = Float64Array.from(minutes).sort();
  const ranges = joined(Array.from(sorted, (minute) => ({ first: minute, last: minute })));
  if (ranges.length <= MAX_RANGES) return ranges;
  return [{ first: sorted[0] as number, last: sorted.at(-1) as number }];
}

/** Ranges that ascend by their first minute, as ranges apart from each other. */
export function joined(ranges: readonly MinuteRange[]): MinuteRange[] {
  const apart: MinuteRange[] = [];
  for (const { first, last } of ranges) {
    const before = apart.at(-1);
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last);
    else apart.push({ first, last });
  }
  return apart;
}

/** The part of each that is in a range of time, in milliseconds. */
export function rangesOf(minutes: readonly MinuteRange[], { startMs, endMs }: TimeRange): TimeRange[] {
  const ranges = minutes.map(({ first, last }) => ({
    startMs: Math.max(startMs, first * MINUTE_MS),
    endMs: Math.min(endMs, (last + 1) * MINUTE_MS - 1),
  }));
  return ranges.filter((range) => range.startMs <= range.endMs);
}

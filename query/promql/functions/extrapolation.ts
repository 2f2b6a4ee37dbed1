import type { RangeCall } from "../eval/range-function.ts";
import type { RateKind } from "./rate-kind.ts";

/** The part of a window that an extrapolation reaches the ends of. */
export type RangeEnds = { readonly startMs: number; readonly endMs: number };

/**
 * What to multiply a change between two samples by to get that of the whole range. `zero`: how many times as long as
 * between the samples it would have taken a counter to get from nothing to its first value, Infinity when not known.
 */
export function extrapolationFactor(
  ends: RangeEnds,
  call: RangeCall,
  kind: RateKind,
  firstMs: number,
  lastMs: number,
  intervals: number,
  zero: number,
): number {
  const sampled = (lastMs - firstMs) / 1000;
  let toStart = unboundedToStart(ends, firstMs, sampled, intervals);
  const toZero = sampled * zero;
  if (toZero < toStart) toStart = toZero;
  return factorOf(call, kind, sampled, toStart, toEnd(ends, lastMs, sampled / intervals));
}

/** How far before the first sample the series is taken to begin, unless it would have been below zero there. */
export function unboundedToStart({ startMs }: RangeEnds, firstMs: number, sampled: number, intervals: number): number {
  const average = sampled / intervals;
  const distance = (firstMs - startMs) / 1000;
  return distance >= average * 1.1 ? average / 2 : distance;
}

export function toEnd({ endMs }: RangeEnds, lastMs: number, average: number): number {
  const distance = (endMs - lastMs) / 1000;
  return distance >= average * 1.1 ? average / 2 : distance;
}

export function factorOf(call: RangeCall, kind: RateKind, sampled: number, toStart: number, end: number): number {
  const factor = sampled === 0 ? 1 : (sampled + toStart + end) / sampled;
  return kind.isRate ? factor / call.rangeSeconds : factor;
}

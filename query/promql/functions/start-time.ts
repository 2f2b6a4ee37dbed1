/**
 * Does the start time of a sample say that its counter began anew after the sample before? A start equal to the time
 * of the sample before is that of a delta, unless nothing is known of the start of the sample before
 * (isStartTimestampReset in Prometheus' promql/functions.go). Times in milliseconds, starts 0 where unknown.
 */
export function isStartTimeReset(
  previousStartMs: number,
  previousMs: number,
  startMs: number,
  timeMs: number,
): boolean {
  if (startMs === 0 || startMs >= timeMs || startMs < previousMs) return false;
  if (startMs > previousMs) return true;
  return previousStartMs !== 0 && previousStartMs < previousMs;
}

/** Neither a new start nor the same one: somebody writes into a series that is not theirs. */
export function overlapsStartTime(previousStartMs: number, previousMs: number, startMs: number): boolean {
  return startMs !== 0 && startMs < previousMs && startMs !== previousStartMs;
}

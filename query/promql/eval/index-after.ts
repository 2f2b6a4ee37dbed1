/**
 * The first index from `from` on whose time is after `timeMs`; the one that is `stride` on is looked at first, because
 * windows mostly move on by as many samples as at the step before.
 */
export function indexAfter(timesMs: Float64Array, from: number, stride: number, timeMs: number): number {
  const { length } = timesMs;
  const guess = from + stride;
  let index = stride > 0 && guess <= length && (timesMs[guess - 1] as number) <= timeMs ? guess : from;
  while (index < length && (timesMs[index] as number) <= timeMs) index++;
  return index;
}

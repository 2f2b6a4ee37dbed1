import type { SeriesKey } from "@sightline/model/metric-batch.ts";
import type { Rejections } from "@sightline/model/rejections.ts";

/** What a head refuses. Times are inclusive bounds in ms. */
export type HeadLimits = { readonly minTimeMs: number; readonly maxTimeMs: number; readonly maxSeries: number };

/** Says whether a head takes a sample of this time. */
export function isAcceptable(timeMs: number, limits: HeadLimits): boolean {
  return timeMs >= limits.minTimeMs && timeMs <= limits.maxTimeMs && Number.isInteger(timeMs);
}

/** Adds why a sample is refused that is not {@link isAcceptable}. */
export function refuseTime(timeMs: number, key: SeriesKey, limits: HeadLimits, rejections: Rejections): void {
  const name = () => key.labels.find(([label]) => label === "__name__")?.[1] ?? "a series";
  const date = () => (Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : String(timeMs));
  if (timeMs > limits.maxTimeMs) {
    rejections.add(
      "too_new",
      () => `${name()} at ${date()} is too far in the future; see storage.metrics.out_of_bounds_future`,
    );
  } else if (timeMs < limits.minTimeMs) {
    rejections.add("too_old", () => `${name()} at ${date()} is older than storage.metrics.retention keeps`);
  } else rejections.add("invalid", () => `${name()}: time ${timeMs} is not a whole number of milliseconds`);
}

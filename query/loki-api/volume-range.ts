/** One bucket of `index/volume_range`: from `startNs` on, before `endNs`; the last one has its end, too. */
export type VolumeBucket = { readonly startNs: bigint; readonly endNs: bigint; readonly stampNs: bigint };
export type VolumeBuckets = {
  /** Those that are cut off by the range. */
  readonly partial: readonly VolumeBucket[];
  /** First and last multiple of the step with whole buckets in between; undefined when there is none. */
  readonly whole: { readonly startNs: bigint; readonly endNs: bigint } | undefined;
};

/**
 * Loki splits the range at multiples of the step and stamps what is in a bucket with its last moment
 * (pkg/util/mapreduce: ForInterval). The last bucket ends with the range, also
 * where that is a multiple of the step.
 */
export function volumeBuckets(startNs: bigint, endNs: bigint, stepNs: bigint): VolumeBuckets {
  const first = startNs - (startNs % stepNs);
  const last = endNs - 1n - ((endNs - 1n) % stepNs);
  const tail = { startNs: last > startNs ? last : startNs, endNs: endNs + 1n, stampNs: endNs };
  if (first + stepNs >= endNs) return { partial: [tail], whole: undefined };
  const isCut = first !== startNs;
  const head = { startNs, endNs: first + stepNs, stampNs: first + stepNs - 1n };
  const wholeStart = isCut ? first + stepNs : first;
  return {
    partial: isCut ? [head, tail] : [tail],
    whole: wholeStart < last ? { startNs: wholeStart, endNs: last } : undefined,
  };
}

import type { NativeHistogram } from "@sightline/model/histogram.ts";
import type { SeriesSlice } from "@sightline/model/metric-store.ts";
import { detectReset } from "./detect-reset.ts";

/** Without "there was a reset" and "there was none"; that of a gauge stays. */
export function withoutResetHint(histogram: NativeHistogram): NativeHistogram {
  const hint = histogram.counterResetHint;
  return hint === 1 || hint === 2 ? { ...histogram, counterResetHint: 0 } : histogram;
}

/**
 * The series with its sender's hints about resets only where its samples agree, as Prometheus has it: it finds resets
 * itself when it stores samples, and reads "there was none" or nothing (tsdb/chunkenc/histogram_meta.go).
 */
export function withCheckedHints(slice: SeriesSlice): SeriesSlice {
  const { histograms } = slice;
  if (!histograms?.values.some(({ counterResetHint: hint }) => hint === 1 || hint === 2)) return slice;
  const values = histograms.values.map((histogram, i) => {
    const before = histograms.values[i - 1];
    const isRight = histogram.counterResetHint === 2 && !(before && detectReset(withoutResetHint(histogram), before));
    return isRight ? histogram : withoutResetHint(histogram);
  });
  return { ...slice, histograms: { ...histograms, values } };
}

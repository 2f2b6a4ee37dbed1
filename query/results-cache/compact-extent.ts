import { Turn } from "../http/turn.ts";
import type { MatrixSeries } from "../promql/result.ts";
import type { Extent } from "./extent.ts";

const SERIES_BYTES = 200;
const LABEL_BYTES = 80;
const HISTOGRAM_BYTES = 400;
const BUCKET_BYTES = 8;

/** A part that is smaller than this part of the memory it lies in gets memory of its own. */
const MIN_USED = 0.5;

/** The extent with no more memory behind it than it needs, and about how much that is. */
export async function compactExtent({ series, ...steps }: Extent): Promise<{ extent: Extent; bytes: number }> {
  const turn = new Turn();
  const times = new Map<Float64Array, Float64Array>();
  const compacted: MatrixSeries[] = [];
  let bytes = 0;
  for (const one of series) {
    let timesMs = times.get(one.timesMs);
    if (!timesMs) {
      timesMs = compact(one.timesMs);
      times.set(one.timesMs, timesMs);
      // Series share their times; they are counted once.
      bytes += timesMs.byteLength;
    }
    compacted.push({ ...one, timesMs, values: compact(one.values) });
    bytes += seriesBytes(one);
    await turn.rest();
  }
  return { extent: { ...steps, series: compacted }, bytes };
}

function compact(array: Float64Array): Float64Array {
  return array.byteLength < array.buffer.byteLength * MIN_USED ? array.slice() : array;
}

function seriesBytes({ labels, values, histograms }: MatrixSeries): number {
  let bytes = SERIES_BYTES + values.byteLength;
  for (const [name, value] of labels) bytes += LABEL_BYTES + name.length + value.length;
  for (const { positiveBuckets, negativeBuckets } of histograms?.values ?? []) {
    bytes += HISTOGRAM_BYTES + (positiveBuckets.length + negativeBuckets.length) * BUCKET_BYTES;
  }
  return bytes;
}

import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import type { Rejection, Signal } from "@sightline/model/ports.ts";
import type { Decoded } from "@sightline/proto/wire-request.ts";

/** What became of a request that was understood. Everything accepted is durable. */
export type IngestResult = {
  readonly signal: Signal;
  /** Samples and histograms, records or spans. */
  readonly accepted: number;
  readonly rejected: readonly Rejection[];
  readonly counts: WrittenCounts;
};

/** What remote write 2.0 reports back; zeros for logs and traces. */
export type WrittenCounts = { readonly samples: number; readonly histograms: number; readonly exemplars: number };
export const NOTHING_WRITTEN: WrittenCounts = { samples: 0, histograms: 0, exemplars: 0 };

export function metricItems(batch: MetricBatch): number {
  return batch.length + batch.histograms.length;
}

export function itemsOf(decoded: Decoded): number {
  return decoded.signal === "metrics" ? metricItems(decoded.batch) : decoded.batch.length;
}

/** Nothing that a store would keep. */
export function isEmpty(decoded: Decoded): boolean {
  if (itemsOf(decoded) > 0) return false;
  return decoded.signal !== "metrics" || decoded.batch.exemplars.length + decoded.batch.metadata.length === 0;
}

/**
 * Of a decoded request, counting before the batch is handed to its store. The store does not say of which kind the
 * rows were that it refused: they are taken off the samples first.
 */
export function writtenCounts(decoded: Decoded): (refusedByStore: number) => WrittenCounts {
  if (decoded.signal !== "metrics") return () => NOTHING_WRITTEN;
  const samples = decoded.batch.length;
  const histograms = decoded.batch.histograms.length;
  const exemplars = decoded.batch.exemplars.length;
  return (refused) => ({
    samples: Math.max(0, samples - refused),
    histograms: Math.max(0, histograms - Math.max(0, refused - samples)),
    exemplars: refused >= samples + histograms && refused > 0 ? 0 : exemplars,
  });
}

export function countRejected(rejected: readonly Rejection[]): number {
  return rejected.reduce((sum, { count }) => sum + count, 0);
}

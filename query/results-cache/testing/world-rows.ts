import { EMPTY_BUCKETS, type NativeHistogram } from "@sightline/model/histogram.ts";
import type { SeriesInfo } from "@sightline/model/metric-batch.ts";
import type { SeriesRows } from "@sightline/storage-conformance/metric-batch-of.ts";
import { MINUTE, SECOND, T0 } from "./cache-world.ts";

const histogram = (count: number): NativeHistogram => ({
  schema: 0,
  zeroThreshold: 0.001,
  zeroCount: 0,
  count,
  sum: count * 1.1,
  positiveSpans: [{ offset: 0, length: 2 }],
  positiveBuckets: Float64Array.of(Math.floor(count / 2), Math.ceil(count / 2)),
  negativeSpans: [],
  negativeBuckets: EMPTY_BUCKETS,
  customValues: EMPTY_BUCKETS,
  counterResetHint: 0,
});
const DELTA: SeriesInfo = { type: "counter", unit: "", temporality: "delta", otelName: "c" };

/** A few series `c_total`, `g`, `h` and `cb_bucket`, with holes, resets and ends. Values come from a fixed rule, so that failures can be shown again. */
export function worldRows(fromMs: number, toMs: number, seed: number): SeriesRows[] {
  const noise = (i: number) => Math.abs(Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 1;
  const rows: SeriesRows[] = [];
  for (const [p, job] of ["a", "a", "b", "b"].entries()) {
    const labels = { job, pod: `p${p}` };
    const times: number[] = [];
    for (let timeMs = fromMs; timeMs < toMs; timeMs += 15 * SECOND) {
      const i = (timeMs - T0) / SECOND;
      if (noise(p * 1_000 + Math.floor(i / 240)) > 0.2) times.push(timeMs + Math.floor(noise(i + p) * 900));
    }
    const counter = (timeMs: number) => Math.floor(((timeMs - T0) % (17 * MINUTE)) / 100) / 10 + p;
    rows.push(
      { labels: { __name__: "c_total", ...labels }, samples: times.map((time) => [time, counter(time)] as const) },
      {
        labels: { __name__: "g", ...labels },
        samples: times.map((time) => [time, noise(time) > 0.97 ? "STALE" : noise(time) * 10] as const),
      },
      {
        labels: { __name__: "h", ...labels },
        samples: times.map((time) => [time, histogram(Math.floor(counter(time)))] as const),
      },
    );
    for (const le of ["1", "+Inf"]) {
      rows.push({
        labels: { __name__: "cb_bucket", ...labels, le },
        samples: times.map((time) => [time, counter(time) * (le === "1" ? 1 : 2)] as const),
      });
    }
  }
  rows.push({
    labels: { __name__: "c_total", job: "d" },
    info: DELTA,
    samples: rows[0]?.samples.map(([time]) => [time, 2, time - 15_000] as const) ?? [],
  });
  return rows;
}

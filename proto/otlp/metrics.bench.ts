/**
 * Microseconds per sample of decoding OTLP metrics whose series are known: `node proto/otlp/metrics.bench.ts`. Medians;
 * the first rounds warm up. A histogram point of ten bounds is 13 samples: eleven buckets, sum and count.
 */
import { SeriesInterner } from "../metrics/series-interner.ts";
import { DEFAULT_OTLP_METRICS_OPTIONS } from "./metrics/translation.ts";
import { OtlpMetricsDecoder } from "./metrics.ts";
import { encodeMetrics, type MetricInput, type NumberPointInput } from "./test-metrics.ts";

const ROUNDS = 60;
const WARM_UP = 10;
const POINTS = 500;
const NOW = 1_790_000_000_000;

const attributes = (i: number) => ({
  "http.request.method": i % 2 ? "GET" : "POST",
  "http.route": `/api/v1/orders/{id}/${i}`,
  "http.response.status_code": 200 + (i % 3),
  "server.address": "checkout.shop.svc.cluster.local",
  "network.protocol.version": "1.1",
});
const common = (i: number, round: number) => ({
  attributes: attributes(i),
  startMs: NOW,
  timeMs: NOW + round * 10_000,
});
const range = <T>(make: (i: number) => T) => Array.from({ length: POINTS }, (_, i) => make(i));

const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const KINDS: Record<string, (round: number) => MetricInput[]> = {
  "sums of 5 attributes": (round) => [
    {
      name: "http.server.active_requests",
      unit: "{request}",
      sum: {
        dataPoints: range((i): NumberPointInput => ({ ...common(i, round), asInt: i * round })),
        aggregationTemporality: 2,
        isMonotonic: true,
      },
    },
  ],
  "gauges, a metric per point": (round) =>
    range((i) => ({
      name: `process.runtime.gauge.${i}`,
      unit: "By",
      description: "Something of the runtime.",
      gauge: { dataPoints: [{ timeMs: NOW + round * 10_000, asDouble: i * round }] },
    })),
  "histograms of 10 bounds": (round) => [
    {
      name: "http.server.request.duration",
      unit: "s",
      histogram: {
        dataPoints: range((i) => ({
          ...common(i, round),
          count: 66,
          sum: 12.5,
          bucketCounts: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
          explicitBounds: bounds,
        })),
        aggregationTemporality: 2,
      },
    },
  ],
  "exponential histograms of 20 buckets": (round) => [
    {
      name: "http.client.request.duration",
      unit: "s",
      exponentialHistogram: {
        dataPoints: range((i) => ({
          ...common(i, round),
          count: 20,
          sum: 3,
          scale: 4,
          positive: { offset: -40, bucketCounts: Array(20).fill(1) },
        })),
        aggregationTemporality: 2,
      },
    },
  ],
};

const resource = {
  "service.name": "checkout",
  "service.namespace": "shop",
  "service.instance.id": "a1",
  "host.name": "h",
};
for (const [name, metrics] of Object.entries(KINDS)) {
  const decoder = new OtlpMetricsDecoder(new SeriesInterner(1_000_000), DEFAULT_OTLP_METRICS_OPTIONS);
  const times: number[] = [];
  let samples = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = encodeMetrics([{ attributes: resource, scopes: [{ name: "bench", metrics: metrics(round) }] }]);
    const begin = performance.now();
    const { batch } = decoder.decode(bytes);
    const took = performance.now() - begin;
    samples = batch.length + batch.histograms.length;
    if (round >= WARM_UP) times.push(took);
  }
  const median = times.sort((a, b) => a - b)[times.length >> 1] as number;
  const perSample = (median * 1000) / samples;
  const perPoint = (median * 1000) / POINTS;
  console.log(`${name}: ${perSample.toFixed(3)} µs/sample, ${perPoint.toFixed(3)} µs/point`);
}

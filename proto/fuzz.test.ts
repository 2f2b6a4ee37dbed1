import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { seededRandom } from "@sightline/model/seeded-random.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { snappyCompress } from "hysnappy";
import { expect, test } from "vitest";
import { Decoder } from "./decoder.ts";
import { DEFAULT_OTLP_METRICS_OPTIONS } from "./otlp/metrics/translation.ts";
import { encodeMetrics, type MetricInput } from "./otlp/test-metrics.ts";
import { encodeV1, encodeV2, oddSeries } from "./remote-write/test-messages.ts";
import { checkBatch } from "./testing/check-batch.ts";
import type { ContentEncoding, Protocol } from "./wire-request.ts";

/** Per payload. Set SIGHTLINE_FUZZ_RUNS to look for longer, SIGHTLINE_FUZZ_SEED to look elsewhere. */
const RUNS = Number(process.env.SIGHTLINE_FUZZ_RUNS ?? 2_000);
const SEED = Number(process.env.SIGHTLINE_FUZZ_SEED ?? 20_261_121);
const NOW = 1_790_000_000_000;
/** Far more than any of these small payloads may take. */
const MAX_MILLIS = 2_000;

const series = oddSeries(NOW);
const point = { timeMs: NOW, startMs: NOW - 5, attributes: { a: "b", n: 7, list: ["x", new Map([["k", true]])] } };
const exemplars = [{ asDouble: 0.5, traceId: "0af7651916cd43dd8448eb211c80319c", attributes: { user: "u" } }];
const metrics: MetricInput[] = [
  {
    name: "g",
    unit: "By",
    description: "d",
    gauge: {
      dataPoints: [
        { ...point, asDouble: 1.5 },
        { ...point, asInt: -3 },
      ],
    },
  },
  { name: "c", sum: { dataPoints: [{ ...point, asInt: 3, exemplars }], aggregationTemporality: 2, isMonotonic: true } },
  {
    name: "h",
    histogram: {
      dataPoints: [{ ...point, count: 3, sum: 1, bucketCounts: [1, 2], explicitBounds: [1], exemplars }],
      aggregationTemporality: 1,
    },
  },
  {
    name: "e",
    exponentialHistogram: {
      dataPoints: [
        { ...point, count: 3, scale: 9, zeroCount: 1, positive: { offset: -9, bucketCounts: [1, 0, 1] }, exemplars },
      ],
      aggregationTemporality: 2,
    },
  },
  {
    name: "s",
    summary: { dataPoints: [{ ...point, count: 1, sum: 2, quantileValues: [{ quantile: 0.5, value: 2 }] }] },
  },
];
const json = {
  resourceMetrics: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "s" } }] },
      scopeMetrics: [
        {
          scope: { name: "l" },
          metrics: [{ name: "g", gauge: { dataPoints: [{ timeUnixNano: "1790000000000000000", asInt: "3" }] } }],
        },
      ],
    },
  ],
};

const resource = { "service.name": "cart", "host.name": "h" };
const PAYLOADS: readonly [string, Protocol, ContentEncoding, Uint8Array][] = [
  [
    "remote write 1.0",
    "remote-write-1",
    "identity",
    encodeV1({ timeseries: series, metadata: [{ type: 1, metricFamilyName: "up", help: "h" }] }),
  ],
  ["remote write 1.0 in snappy", "remote-write-1", "snappy", snappyCompress(encodeV1({ timeseries: series }))],
  ["remote write 2.0", "remote-write-2", "identity", encodeV2(series)],
  [
    "OTLP metrics",
    "otlp-metrics-protobuf",
    "identity",
    encodeMetrics([
      { attributes: resource, scopes: [{ name: "l", version: "1", schemaUrl: "u", attributes: { x: 1 }, metrics }] },
    ]),
  ],
  ["OTLP metrics in JSON", "otlp-metrics-json", "identity", Buffer.from(JSON.stringify(json))],
];

test.each(PAYLOADS)("%s, mutilated, is decoded or refused, quickly", (_name, protocol, encoding, payload) => {
  const random = seededRandom(SEED);
  const decoder = new Decoder({
    maxDecompressedBytes: 1_000_000,
    maxDepth: 50,
    maxSeriesInterned: 5_000,
    otlpMetrics: DEFAULT_OTLP_METRICS_OPTIONS,
  });
  const tenant = tenantId("fuzz");
  let decodedCount = 0;
  for (let run = 0; run < RUNS; run++) {
    const body = mutilate(payload, random);
    const begin = workedMs();
    try {
      const decoded = decoder.decode({ tenant, protocol, encoding, receivedAtMs: NOW, body });
      checkBatch(decoded);
      decodedCount++;
    } catch (error) {
      if (error instanceof InvalidInputError || error instanceof TooLargeError) continue;
      throw new Error(`run ${run}: ${Buffer.from(body).toString("base64")}`, { cause: error });
    } finally {
      expect(workedMs() - begin).toBeLessThan(MAX_MILLIS);
    }
  }
  // Or the mutations are too coarse to get anywhere.
  expect(decodedCount).toBeGreaterThan(RUNS / 100);
});

function mutilate(payload: Uint8Array, random: () => number): Uint8Array {
  let bytes = [...payload];
  const at = () => Math.floor(random() * bytes.length);
  for (let i = Math.floor(random() * 4); i >= 0; i--) {
    const kind = random();
    if (kind < 0.5) bytes[at()] = Math.floor(random() * 256);
    else if (kind < 0.7) bytes[at()]! ^= 1 << Math.floor(random() * 8);
    else if (kind < 0.8) bytes = bytes.slice(0, at());
    else if (kind < 0.9) bytes.splice(at(), Math.floor(random() * 8));
    else bytes.splice(at(), 0, ...bytes.slice(at(), at() + Math.floor(random() * 20)));
  }
  return Uint8Array.from(bytes);
}

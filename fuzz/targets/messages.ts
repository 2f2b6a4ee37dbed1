import {
  JsonLogsSerializer,
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";
import { sdkLogs, sdkMetrics, sdkSpans } from "@sightline/proto/otlp/sdk-fixtures.ts";
import { encodeMetrics, type MetricInput } from "@sightline/proto/otlp/test-metrics.ts";
import { encodeV1, encodeV2, oddSeries } from "@sightline/proto/remote-write/test-messages.ts";

/** When everything here happened, in ms. */
export const NOW_MS = 1_790_000_000_000;

/** Good messages of every kind that is received: what fuzzing starts from. */
export type Messages = Readonly<
  Record<
    | "remoteWrite1"
    | "remoteWrite2"
    | "metrics"
    | "logs"
    | "traces"
    | "metricsJson"
    | "logsJson"
    | "tracesJson"
    | "lokiPush"
    | "lokiPushJson",
    readonly Uint8Array[]
  >
>;

const SERIES = oddSeries(NOW_MS);

const POINT = {
  timeMs: NOW_MS,
  startMs: NOW_MS - 5,
  attributes: { a: "b", n: 7, list: ["x", new Map([["k", true]])] },
};
const EXEMPLARS = [{ asDouble: 0.5, traceId: "0af7651916cd43dd8448eb211c80319c", attributes: { user: "u" } }];
const METRICS: MetricInput[] = [
  {
    name: "g",
    unit: "By",
    description: "d",
    gauge: {
      dataPoints: [
        { ...POINT, asDouble: 1.5 },
        { ...POINT, asInt: -3 },
      ],
    },
  },
  {
    name: "c",
    sum: {
      dataPoints: [{ ...POINT, asInt: 3, exemplars: EXEMPLARS }],
      aggregationTemporality: 2,
      isMonotonic: true,
    },
  },
  {
    name: "h",
    histogram: {
      dataPoints: [{ ...POINT, count: 3, sum: 1, bucketCounts: [1, 2], explicitBounds: [1], exemplars: EXEMPLARS }],
      aggregationTemporality: 1,
    },
  },
  {
    name: "e",
    exponentialHistogram: {
      dataPoints: [
        {
          ...POINT,
          count: 3,
          scale: 9,
          zeroCount: 1,
          positive: { offset: -9, bucketCounts: [1, 0, 1] },
          exemplars: EXEMPLARS,
        },
      ],
      aggregationTemporality: 2,
    },
  },
  {
    name: "s",
    summary: { dataPoints: [{ ...POINT, count: 1, sum: 2, quantileValues: [{ quantile: 0.5, value: 2 }] }] },
  },
];
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const LINES = ["one\ntwo \u001b[31m", "", '{"level":"warn","größe":1}'];

function lokiPush(): Uint8Array {
  const pair = (name: string, value: string) => (writer: ProtobufWriter) =>
    void writer.string(1, name).string(2, value);
  const stream = (labels: string) => (writer: ProtobufWriter) => {
    writer.string(1, labels).varint(3, 7);
    for (const [i, line] of LINES.entries()) {
      writer.message(2, (entry) => {
        entry.message(1, (time) => time.varint(1, Math.floor(NOW_MS / 1_000) + i).varint(2, 123_456_789));
        entry.string(2, line).message(3, pair("trace_id", TRACE_ID)).message(3, pair("user", "ann"));
      });
    }
  };
  return new ProtobufWriter()
    .message(1, stream('{app="shop", env="größe"}'))
    .message(1, stream('{app="x\\"y"}'))
    .string(2, "loki")
    .finish();
}

function lokiPushJson(): readonly unknown[] {
  const ns = `${NOW_MS}000000`;
  return [
    {
      streams: [{ stream: { app: "shop", env: "é" }, values: LINES.map((line) => [ns, line, { trace_id: TRACE_ID }]) }],
    },
    { streams: [{ labels: '{app="shop"}', entries: LINES.map((line) => ({ ts: "2026-09-21T14:13:20.5Z", line })) }] },
  ];
}

const RESOURCE = { "service.name": "cart", "host.name": "h" };

export async function goodMessages(): Promise<Messages> {
  const [metrics, logs, spans] = [await sdkMetrics(), [...(await sdkLogs())], [...(await sdkSpans())]];
  const scope = { name: "l", version: "1", schemaUrl: "u", attributes: { x: 1 }, metrics: METRICS };
  return {
    remoteWrite1: [
      encodeV1({ timeseries: SERIES, metadata: [{ type: 1, metricFamilyName: "up", help: "h" }] }),
      encodeV1({ timeseries: SERIES.slice(0, 1) }),
    ],
    remoteWrite2: [encodeV2(SERIES), encodeV2(SERIES.slice(1))],
    metrics: [
      encodeMetrics([{ attributes: RESOURCE, scopes: [scope] }]),
      ProtobufMetricsSerializer.serializeRequest(metrics) as Uint8Array,
    ],
    logs: [ProtobufLogsSerializer.serializeRequest(logs) as Uint8Array],
    traces: [ProtobufTraceSerializer.serializeRequest(spans) as Uint8Array],
    metricsJson: [JsonMetricsSerializer.serializeRequest(metrics) as Uint8Array],
    logsJson: [JsonLogsSerializer.serializeRequest(logs) as Uint8Array],
    tracesJson: [JsonTraceSerializer.serializeRequest(spans) as Uint8Array],
    lokiPush: [lokiPush()],
    lokiPushJson: lokiPushJson().map((body) => Buffer.from(JSON.stringify(body))),
  };
}

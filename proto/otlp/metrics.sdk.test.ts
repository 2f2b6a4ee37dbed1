import { JsonMetricsSerializer, ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { beforeAll, expect, test } from "vitest";
import { otlpJsonToProtobuf } from "./json.ts";
import { sdkMetrics } from "./sdk-fixtures.ts";
import { newDecoder, rowsOf } from "./test-decoding.ts";

let metrics: Awaited<ReturnType<typeof sdkMetrics>>;
beforeAll(async () => {
  metrics = await sdkMetrics();
});

const SCOPE = 'otel_scope_name="shop", otel_scope_version="1.2.3"';

test("what the SDK sends comes out under Prometheus' names", () => {
  const { batch, rejected } = newDecoder().decode(ProtobufMetricsSerializer.serializeRequest(metrics) as Uint8Array);
  expect(rejected).toEqual([]);
  const rows = rowsOf(batch);
  expect(rows).toContain(`requests_total{job="checkout", ${SCOPE}, route="/cart"} = 3`);
  expect(rows).toContain(`active{job="checkout", ${SCOPE}} = -2`);
  expect(rows).toContain(`temperature_celsius{job="checkout", ${SCOPE}, room="a"} = 21.5`);
  expect(rows).toContain(`duration_seconds_count{job="checkout", ${SCOPE}, route="/cart"} = 4`);
  expect(rows).toContain(`duration_seconds_bucket{job="checkout", le="10", ${SCOPE}, route="/cart"} = 3`);
  expect(rows.at(-1)).toBe(
    'target_info{job="checkout", k8s_pod_name="checkout-1", process_command_args="[\\"node\\",\\"main.js\\"]", process_pid="4711"} = 1',
  );
  expect(batch.histograms.length).toBeGreaterThan(0);
  expect(batch.metadata).toContainEqual({
    metric: "requests_total",
    type: "counter",
    unit: "",
    help: "Requests",
    otelName: "requests",
  });
});

test("its JSON means the same as its protobuf", () => {
  const protobuf = newDecoder().decode(ProtobufMetricsSerializer.serializeRequest(metrics) as Uint8Array);
  const json = JsonMetricsSerializer.serializeRequest(metrics) as Uint8Array;
  const fromJson = newDecoder().decode(otlpJsonToProtobuf("metrics", json));
  expect(rowsOf(fromJson.batch)).toEqual(rowsOf(protobuf.batch));
  for (const column of ["histograms", "exemplars", "metadata"] as const) {
    expect(fromJson.batch[column]).toEqual(protobuf.batch[column]);
  }
  const times = (result: typeof protobuf) => [...result.batch.timesMs.subarray(0, result.batch.length)];
  expect(times(fromJson)).toEqual(times(protobuf));
});

/** `node proto/otlp/logs.bench.ts`: median time per record of decoding 1,000 records of 10 pods, 8 attributes each. */
import { otlpJsonToProtobuf } from "./json.ts";
import { decodeOtlpLogs } from "./logs.ts";

const RESOURCES = 10;
const RECORDS_PER_RESOURCE = 100;
const ROUNDS = 400;

/** A request as the collector's batch processor makes it. */
export function logsRequest(): Uint8Array {
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % below;
  };
  const hex = (digits: number) => Array.from({ length: digits }, () => random(16).toString(16)).join("");
  const string = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const record = (i: number) => ({
    timeUnixNano: String(1_790_000_000_000_000_000n + BigInt(i) * 1_000_003n),
    observedTimeUnixNano: String(1_790_000_000_100_000_000n + BigInt(i) * 1_000_003n),
    severityNumber: 9,
    severityText: "INFO",
    body: {
      stringValue: `request ${i} handled for customer ${random(100_000)}: ${"the quick brown fox jumps over the lazy dog ".repeat(4)}`,
    },
    attributes: [
      string("http.request.method", ["GET", "POST", "PUT"][random(3)] as string),
      string("http.route", `/api/v1/items/{id}/${random(20)}`),
      { key: "http.response.status_code", value: { intValue: [200, 201, 404, 500][random(4)] } },
      { key: "duration_ms", value: { doubleValue: random(100_000) / 100 } },
      string("user.id", `u-${random(10_000)}`),
      string("client.address", `10.${random(256)}.${random(256)}.${random(256)}`),
      string("request.id", hex(32)),
      { key: "cache.hit", value: { boolValue: random(2) === 1 } },
    ],
    ...(random(10) < 3 ? { traceId: hex(32), spanId: hex(16) } : {}),
  });
  const resourceLogs = Array.from({ length: RESOURCES }, (_, pod) => ({
    resource: {
      attributes: [
        string("service.name", `service-${pod % 5}`),
        string("service.namespace", "shop"),
        string("service.instance.id", `pod-${pod}`),
        string("k8s.namespace.name", "production"),
        string("k8s.pod.name", `service-${pod}-7d9f8b6c5-x${pod}`),
        string("host.name", `node-${pod % 3}`),
        string("cloud.region", "eu-central-1"),
        string("deployment.environment.name", "prod"),
      ],
    },
    scopeLogs: [
      { scope: { name: "app" }, logRecords: Array.from({ length: RECORDS_PER_RESOURCE }, (_, i) => record(i)) },
    ],
  }));
  return otlpJsonToProtobuf("logs", Buffer.from(JSON.stringify({ resourceLogs })));
}

if (import.meta.main) {
  const bytes = logsRequest();
  const times: number[] = [];
  let records = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    records = decodeOtlpLogs(bytes, 0).batch.length;
    times.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  const median = times.sort((a, b) => a - b)[ROUNDS >> 1] as number;
  console.log(`${bytes.length} bytes, ${records} records: ${(median / records).toFixed(3)} µs/record`);
}

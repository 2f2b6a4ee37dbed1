import { gzipSync } from "node:zlib";
import { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";
import { seededRandom } from "@sightline/model/seeded-random.ts";
import { hex, pick } from "./random.ts";
import { SERVICES } from "./services.ts";
import type { Payload, Workload, WorkloadOptions } from "./workload.ts";
import { writeAttribute } from "./write-attribute.ts";

/** One record in so many holds {@link NEEDLE}. */
export const NEEDLE_EVERY = 1_009;
export const NEEDLE = "needle-5b1c77";
const SPAN_MS = 3_600_000;
const PODS = 100;
const PODS_PER_REQUEST = 10;
const RECORDS_PER_REQUEST = 1_000;
const ROUTES = [
  "/api/v1/cart",
  "/api/v1/checkout",
  "/api/v1/products/{id}",
  "/api/v1/orders/{id}/status",
  "/healthz",
  "/api/v1/search",
];
const EVENTS = [
  "request completed",
  "cache miss, loading from database",
  "retrying upstream call",
  "order accepted and queued",
];
const LEVELS = [
  ["DEBUG", 5],
  ["INFO", 9],
  ["INFO", 9],
  ["INFO", 9],
  ["INFO", 9],
  ["INFO", 9],
  ["WARN", 13],
  ["ERROR", 17],
] as const;

function writeResource(writer: ProtobufWriter, pod: number): void {
  const service = SERVICES[pod % SERVICES.length] as string;
  const name = `${service}-7f9c4b6d5-${pod.toString(36).padStart(5, "x")}`;
  writer.message(1, () => {
    writeAttribute(writer, 1, "service.name", service);
    writeAttribute(writer, 1, "service.namespace", `team-${service}`);
    writeAttribute(writer, 1, "service.version", "2.7.0");
    writeAttribute(writer, 1, "service.instance.id", name);
    writeAttribute(writer, 1, "k8s.pod.name", name);
    writeAttribute(writer, 1, "k8s.namespace.name", "shop");
    writeAttribute(writer, 1, "k8s.node.name", `node-${pod % 12}`);
    writeAttribute(writer, 1, "deployment.environment.name", "production");
  });
}

function writeRecord(writer: ProtobufWriter, index: number, timeNs: bigint, random: () => number): void {
  const [severity, severityNumber] = pick(random, LEVELS);
  const status = severity === "ERROR" ? 500 : pick(random, [200, 200, 201, 404]);
  const [route, event, requestId, user] = [
    pick(random, ROUTES),
    pick(random, EVENTS),
    hex(random, 16),
    `u-${Math.floor(random() * 50_000)}`,
  ];
  const duration = Math.floor(random() * 200_000) / 100;
  const message = index % NEEDLE_EVERY === 0 ? `${event} ${NEEDLE}` : event;
  const time = new Date(Number(timeNs / 1_000_000n)).toISOString();
  const body =
    index % 2 === 0
      ? `ts=${time} level=${severity.toLowerCase()} caller=handler.go:${index % 400} msg="${message}" method=GET route=${route} status=${status} duration_ms=${duration} user_id=${user} request_id=${requestId} bytes=${Math.floor(random() * 90_000)}`
      : JSON.stringify({
          time,
          level: severity.toLowerCase(),
          msg: message,
          method: "GET",
          path: route,
          status,
          duration_ms: duration,
          user_id: user,
          request_id: requestId,
          bytes: Math.floor(random() * 90_000),
        });
  writer.message(2, () => {
    writer.fixed64(1, timeNs).varint(2, severityNumber).string(3, severity);
    writer.message(5, () => writer.string(1, body));
    writeAttribute(writer, 6, "http.request.method", "GET");
    writeAttribute(writer, 6, "http.route", route);
    writeAttribute(writer, 6, "http.response.status_code", status);
    writeAttribute(writer, 6, "user.id", user);
    writeAttribute(writer, 6, "request.id", requestId);
    writeAttribute(writer, 6, "client.address", `172.16.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`);
    if (index % 3 === 0) {
      writer.bytes(9, Buffer.from(index.toString(16).padStart(32, "a"), "hex"));
      writer.bytes(10, Buffer.from(index.toString(16).padStart(16, "b"), "hex"));
    }
    writer.fixed64(11, timeNs + 1_000_000n);
  });
}

export const OTLP_LOGS: Workload = {
  unit: "records",
  signal: "logs",
  path: "/v1/logs",
  headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
  encode({ items, endMs, seed }: WorkloadOptions): Payload[] {
    const random = seededRandom(seed);
    const requests = Math.ceil(items / RECORDS_PER_REQUEST);
    const stepNs = BigInt(Math.floor((SPAN_MS * 1e6) / (requests * RECORDS_PER_REQUEST)));
    const startNs = BigInt(endMs - SPAN_MS) * 1_000_000n;
    return Array.from({ length: requests }, (_, request) => {
      const writer = new ProtobufWriter();
      for (let p = 0; p < PODS_PER_REQUEST; p++) {
        const pod = ((request * PODS_PER_REQUEST) % PODS) + p;
        writer.message(1, () => {
          writeResource(writer, pod);
          writer.message(2, () => {
            writer.message(1, () => writer.string(1, "bench"));
            for (let i = p; i < RECORDS_PER_REQUEST; i += PODS_PER_REQUEST) {
              const index = request * RECORDS_PER_REQUEST + i;
              writeRecord(writer, index, startNs + stepNs * BigInt(index), random);
            }
          });
        });
      }
      return { body: gzipSync(writer.finish(), { level: 1 }), items: RECORDS_PER_REQUEST };
    });
  },
};

import { gzipSync } from "node:zlib";
import { ProtobufWriter } from "@sightline/e2e/harness/protobuf-writer.ts";
import { seededRandom } from "@sightline/model/seeded-random.ts";
import { pick } from "./random.ts";
import type { Payload, Workload, WorkloadOptions } from "./workload.ts";
import { writeAttribute } from "./write-attribute.ts";

const SPAN_MS = 3_600_000;
const SPANS_PER_TRACE = 20;
const TRACES_PER_REQUEST = 50;
const SERVICES = ["frontend", "checkout", "cart", "payments", "catalogue", "shipping"];
const OPERATIONS = [
  "GET /checkout",
  "POST /api/v1/checkout",
  "validate session",
  "HGETALL cart",
  "SELECT shop.items",
  "fraud score",
  "orders publish",
];

/** The id of the n-th trace, as hex, whatever else is chosen. */
export function traceId(n: number): string {
  return ((BigInt(n + 1) * 0x9e3779b97f4a7c15f39cc0605cedc835n) & ((1n << 128n) - 1n)).toString(16).padStart(32, "0");
}

function spanId(trace: number, span: number): Buffer {
  return Buffer.from(
    ((BigInt(trace * 64 + span + 1) * 0x9e3779b97f4a7c15n) & ((1n << 64n) - 1n)).toString(16).padStart(16, "0"),
    "hex",
  );
}

export const OTLP_SPANS: Workload = {
  unit: "spans",
  signal: "traces",
  path: "/v1/traces",
  headers: { "content-type": "application/x-protobuf", "content-encoding": "gzip" },
  encode({ items, endMs, seed }: WorkloadOptions): Payload[] {
    const random = seededRandom(seed);
    const traces = Math.ceil(items / SPANS_PER_TRACE);
    const requests = Math.ceil(traces / TRACES_PER_REQUEST);
    const stepNs = BigInt(Math.floor((SPAN_MS * 1e6) / traces));
    const startNs = BigInt(endMs - SPAN_MS) * 1_000_000n;
    return Array.from({ length: requests }, (_, request) => {
      const first = request * TRACES_PER_REQUEST;
      const writer = new ProtobufWriter();
      for (const [role, service] of SERVICES.entries()) {
        writer.message(1, () => {
          writer.message(1, () => {
            writeAttribute(writer, 1, "service.name", service);
            writeAttribute(writer, 1, "service.instance.id", `${service}-${request % 5}`);
            writeAttribute(writer, 1, "deployment.environment.name", "production");
          });
          writer.message(2, () => {
            writer.message(1, () => writer.string(1, "bench").string(2, "1.0.0"));
            for (let trace = first; trace < Math.min(traces, first + TRACES_PER_REQUEST); trace++) {
              for (let span = role; span < SPANS_PER_TRACE; span += SERVICES.length) {
                writeSpan(writer, trace, span, startNs + stepNs * BigInt(trace), random);
              }
            }
          });
        });
      }
      return {
        body: gzipSync(writer.finish(), { level: 1 }),
        items: Math.min(traces - first, TRACES_PER_REQUEST) * SPANS_PER_TRACE,
      };
    });
  },
};

function writeSpan(
  writer: ProtobufWriter,
  trace: number,
  span: number,
  traceStartNs: bigint,
  random: () => number,
): void {
  const start = traceStartNs + BigInt(span) * 1_000_000n;
  const failed = random() < 0.03;
  writer.message(2, () => {
    writer.bytes(1, Buffer.from(traceId(trace), "hex")).bytes(2, spanId(trace, span));
    if (span > 0) writer.bytes(4, spanId(trace, span - 1));
    writer.string(5, OPERATIONS[span % OPERATIONS.length] as string).varint(6, span === 0 ? 2 : 1 + (span % 3));
    writer.fixed64(7, start).fixed64(8, start + BigInt(Math.floor(random() * 2e8)));
    writeAttribute(writer, 9, "user.id", `u-${Math.floor(random() * 50_000)}`);
    writeAttribute(writer, 9, "http.request.method", pick(random, ["GET", "POST"]));
    writeAttribute(writer, 9, "http.route", pick(random, ["/api/v1/cart", "/api/v1/checkout", "/api/v1/search"]));
    writeAttribute(writer, 9, "http.response.status_code", failed ? 500 : 200);
    writeAttribute(writer, 9, "thread.id", Math.floor(random() * 64));
    writeAttribute(writer, 9, "server.address", "shop.svc.cluster.local");
    writeAttribute(writer, 9, "server.port", 8080);
    writeAttribute(writer, 9, "db.response.returned_rows", Math.floor(random() * 500));
    if (failed) writer.message(15, () => writer.string(2, "upstream failed").varint(3, 2));
  });
}

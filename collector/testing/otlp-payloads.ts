import type { Signal } from "@sightline/model/ports.ts";
import { otlpJsonToProtobuf } from "@sightline/proto/otlp/json.ts";

const resource = { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] };
const timeUnixNano = "1790000000000000000";

/** One gauge point, one log record, one span. */
export const OTLP_JSON: Readonly<Record<Signal, string>> = {
  metrics: JSON.stringify({
    resourceMetrics: [
      {
        resource,
        scopeMetrics: [{ metrics: [{ name: "queue.length", gauge: { dataPoints: [{ asInt: "7", timeUnixNano }] } }] }],
      },
    ],
  }),
  logs: JSON.stringify({
    resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ timeUnixNano, body: { stringValue: "hello" } }] }] }],
  }),
  traces: JSON.stringify({
    resourceSpans: [
      {
        resource,
        scopeSpans: [
          {
            spans: [
              {
                traceId: "0123456789abcdef0123456789abcdef",
                spanId: "0123456789abcdef",
                name: "GET /",
                kind: 2,
                startTimeUnixNano: timeUnixNano,
                endTimeUnixNano: timeUnixNano,
              },
            ],
          },
        ],
      },
    ],
  }),
};

export function otlpProtobuf(signal: Signal): Uint8Array {
  return otlpJsonToProtobuf(signal, Buffer.from(OTLP_JSON[signal]));
}

/** Literals only: valid snappy of any bytes. */
export function snappy(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [varint(bytes.length)];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const chunk = bytes.subarray(at, at + 65_536);
    parts.push(Buffer.from([61 << 2, (chunk.length - 1) & 0xff, (chunk.length - 1) >> 8]), chunk);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.from([...bytes, rest]);
}

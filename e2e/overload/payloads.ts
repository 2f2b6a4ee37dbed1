import { gzipSync } from "node:zlib";
import { ProtobufWriter } from "../harness/protobuf-writer.ts";

/** One way to send one signal. */
export type Kind = {
  readonly name: "metrics" | "logs" | "traces";
  /** Samples, records or spans of a request. */
  readonly itemsPerRequest: number;
  /** What this client sends next. Made in microseconds where it can be: the sender must not be what is slow. */
  makeSource(client: number): (timeMs: number) => Body;
};
export type Body = { readonly bytes: Buffer; readonly traceId?: string };

const METRIC = "overload_requests_total";
const SERIES = 1_000;
const RECORDS = 1_000;
const TRACES = 25;
const SPANS_PER_TRACE = 20;
const RENEW_LOGS_MS = 20_000;

export const serviceOf = (signal: string, client: number) => `overload-${signal}-${client}`;
export const metricOf = (client: number) => `${METRIC}{client="${client}"}`;

/** Field numbers of Snappy: a literal's tag with its length in the four bytes that follow. */
const LITERAL_4 = 63 << 2;

/** Snappy that compresses nothing, so that times can be written into it in place. */
function snappyLiteral(raw: Uint8Array): { readonly bytes: Buffer; readonly offset: number } {
  const head: number[] = [];
  for (let rest = raw.length; ; rest >>>= 7) {
    head.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  const length = Buffer.alloc(4);
  length.writeUInt32LE(raw.length - 1);
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from([LITERAL_4]), length, raw]);
  return { bytes, offset: bytes.length - raw.length };
}

/** Where `needle` is in `bytes`, every time. */
function occurrences(bytes: Buffer, needle: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + needle.length)) found.push(at);
  return found;
}

/** Six bytes for every time between 2004 and 2109. */
function writeTimeVarint(bytes: Buffer, at: number, timeMs: number): void {
  let rest = timeMs;
  for (let i = 0; i < 5; i++) {
    bytes[at + i] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[at + 5] = rest;
}

/** Remote write 2.0: a thousand counters with one sample each. */
export const METRICS: Kind = {
  name: "metrics",
  itemsPerRequest: SERIES,
  makeSource(client) {
    const marker = 1_700_000_000_000 + client;
    const symbols = ["", "__name__", METRIC, "client", String(client), "instance", `10.0.0.${client}:8080`, "series"];
    const body = new ProtobufWriter();
    for (let i = 0; i < SERIES; i++) {
      symbols.push(String(i));
      body.message(5, () => {
        body.packed(1, [1, 2, 3, 4, 5, 6, 7, 8 + i]);
        body.message(2, () => body.double(1, i).varint(2, marker));
        body.message(5, () => body.varint(1, 1));
      });
    }
    const writer = new ProtobufWriter();
    for (const symbol of symbols) writer.string(4, symbol);
    const template = snappyLiteral(writer.raw(body.finish()).finish());
    const needle = Buffer.alloc(6);
    writeTimeVarint(needle, 0, marker);
    const places = occurrences(template.bytes, needle);
    if (places.length !== SERIES) throw new Error(`${places.length} times in a body of ${SERIES} samples`);
    let lastMs = 0;
    return (timeMs) => {
      // Each request has a time of its own, so that every sample is one that counts.
      lastMs = Math.max(lastMs + 1, timeMs);
      const bytes = Buffer.from(template.bytes);
      for (const at of places) writeTimeVarint(bytes, at, lastMs);
      return { bytes };
    };
  },
};

const MESSAGES = ["request completed", "cache miss, loading from database", "retrying upstream call", "order accepted"];

/** OTLP, compressed. The same records are sent for a while, because compressing takes longer than receiving should. */
export const LOGS: Kind = {
  name: "logs",
  itemsPerRequest: RECORDS,
  makeSource(client) {
    let made: { readonly bytes: Buffer; readonly untilMs: number } | undefined;
    return (timeMs) => {
      if (!made || timeMs >= made.untilMs) made = { bytes: logBody(client, timeMs), untilMs: timeMs + RENEW_LOGS_MS };
      return made;
    };
  },
};

function logBody(client: number, timeMs: number): Buffer {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.message(1, () => attribute(writer, 1, "service.name", serviceOf("logs", client)));
    writer.message(2, () => {
      for (let i = 0; i < RECORDS; i++) {
        const user = (i * 7_919 + timeMs) % 50_000;
        const text = `level=info msg="${MESSAGES[i % MESSAGES.length]}" route=/api/v1/cart/${user} duration_ms=${i % 977} request_id=${(user * 40_503) >>> 0}`;
        writer.message(2, () => {
          writer.fixed64(1, BigInt(timeMs) * 1_000_000n + BigInt(i)).varint(2, 9);
          writer.message(5, () => writer.string(1, text));
          attribute(writer, 6, "user.id", `u-${user}`);
          attribute(writer, 6, "http.route", "/api/v1/cart");
        });
      }
    });
  });
  return gzipSync(writer.finish(), { level: 1 });
}

/** OTLP over gRPC: 25 traces of 20 spans. */
export const TRACE_SPANS: Kind = {
  name: "traces",
  itemsPerRequest: TRACES * SPANS_PER_TRACE,
  makeSource(client) {
    const idMarker = Buffer.from("feedfacecafe", "hex");
    const timeMarker = 0x7eed_beef_f00d_0123n;
    const writer = new ProtobufWriter();
    writer.message(1, () => {
      writer.message(1, () => attribute(writer, 1, "service.name", serviceOf("traces", client)));
      writer.message(2, () => {
        for (let trace = 0; trace < TRACES; trace++) {
          for (let span = 0; span < SPANS_PER_TRACE; span++)
            writeSpan(writer, client, trace, span, idMarker, timeMarker);
        }
      });
    });
    const template = writer.finish();
    const time = Buffer.alloc(8);
    time.writeBigUInt64LE(timeMarker);
    const ids = occurrences(template, idMarker);
    const times = occurrences(template, time);
    let request = 0;
    return (timeMs) => {
      const bytes = Buffer.from(template);
      request++;
      for (const at of ids) bytes.writeUIntBE(request, at, 6);
      for (const at of times) bytes.writeBigUInt64LE(BigInt(timeMs) * 1_000_000n, at);
      return { bytes, traceId: traceId(client, 0, request) };
    };
  },
};

/** Client and trace, then the request where the template has its marker. */
function traceId(client: number, trace: number, request: number): string {
  return `${(client + 1).toString(16).padStart(8, "0")}${request.toString(16).padStart(12, "0")}${trace.toString(16).padStart(12, "0")}`;
}

function writeSpan(
  writer: ProtobufWriter,
  client: number,
  trace: number,
  span: number,
  idMarker: Buffer,
  timeMarker: bigint,
): void {
  const id = Buffer.from(traceId(client, trace, 0), "hex");
  id.set(idMarker, 4);
  const spanId = Buffer.alloc(8);
  spanId.writeUInt32BE(trace + 1, 0);
  spanId.writeUInt32BE(span + 1, 4);
  writer.message(2, () => {
    writer.bytes(1, id).bytes(2, spanId).string(5, `operation ${span}`).varint(6, 2);
    writer.fixed64(7, timeMarker).fixed64(8, timeMarker);
    attribute(writer, 9, "http.request.method", "GET");
    attribute(writer, 9, "http.route", "/api/v1/cart");
    attribute(writer, 9, "server.address", "shop.svc.cluster.local");
  });
}

function attribute(writer: ProtobufWriter, field: number, key: string, value: string): void {
  writer.message(field, () => {
    writer.string(1, key);
    writer.message(2, () => writer.string(1, value));
  });
}

export const KINDS: readonly Kind[] = [METRICS, LOGS, TRACE_SPANS];
export const SPANS_OF_A_TRACE = SPANS_PER_TRACE;

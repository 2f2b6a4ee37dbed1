import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { InvalidInputError, TooLargeError } from "@sightline/model/errors.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { snappyCompress } from "hysnappy";
import { describe, expect, test } from "vitest";
import { Decoder, type DecoderOptions } from "./decoder.ts";
import { DEFAULT_OTLP_METRICS_OPTIONS } from "./otlp/metrics/translation.ts";
import { encodeMetrics } from "./otlp/test-metrics.ts";
import { encodeV1, encodeV2, type SeriesInput2 } from "./remote-write/test-messages.ts";
import type { ContentEncoding, Protocol, WireRequest } from "./wire-request.ts";

const NOW = 1_790_000_000_000;
const OPTIONS: DecoderOptions = {
  maxDecompressedBytes: 1_000_000,
  maxDepth: 100,
  maxSeriesInterned: 1_000,
  otlpMetrics: DEFAULT_OTLP_METRICS_OPTIONS,
};
const ada = tenantId("ada");
const bob = tenantId("bob");

const request = (
  protocol: Protocol,
  body: Uint8Array,
  encoding: ContentEncoding = "identity",
  tenant = ada,
): WireRequest => ({ tenant, protocol, encoding, receivedAtMs: NOW, body });

const up: SeriesInput2 = { labels: [["__name__", "up"]], samples: [{ value: 1, timestamp: NOW }] };
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const point = {
  timeUnixNano: String(BigInt(NOW) * 1_000_000n),
  asInt: "7",
  attributes: [{ key: "a.b", value: { boolValue: true } }],
};

describe("every protocol is decoded", () => {
  test.each<[Protocol, Uint8Array, string, number]>([
    ["remote-write-1", encodeV1({ timeseries: [up] }), "metrics", 1],
    ["remote-write-2", encodeV2([up]), "metrics", 1],
    [
      "otlp-metrics-protobuf",
      encodeMetrics([{ scopes: [{ metrics: [{ name: "g", gauge: { dataPoints: [{ timeMs: NOW, asInt: 1 }] } }] }] }]),
      "metrics",
      1,
    ],
    [
      "otlp-metrics-json",
      json({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "g", gauge: { dataPoints: [point] } }] }] }] }),
      "metrics",
      1,
    ],
    [
      "otlp-logs-json",
      json({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "hello" } }] }] }] }),
      "logs",
      1,
    ],
    [
      "otlp-traces-json",
      json({
        resourceSpans: [
          {
            scopeSpans: [
              {
                spans: [
                  {
                    traceId: "0af7651916cd43dd8448eb211c80319c",
                    spanId: "b7ad6b7169203331",
                    name: "x",
                    startTimeUnixNano: "1",
                    endTimeUnixNano: "2",
                  },
                ],
              },
            ],
          },
        ],
      }),
      "traces",
      1,
    ],
    ["otlp-logs-protobuf", new Uint8Array(0), "logs", 0],
    ["otlp-traces-protobuf", new Uint8Array(0), "traces", 0],
  ])("%s", (protocol, body, signal, length) => {
    const decoded = new Decoder(OPTIONS).decode(request(protocol, body));
    expect(decoded.signal).toBe(signal);
    expect(decoded.batch.length).toBe(length);
    expect(decoded.rejected).toEqual([]);
  });

  test("and JSON means the same as protobuf", () => {
    const body = json({
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "g.x", unit: "1", gauge: { dataPoints: [point] } }] }] }],
    });
    const { batch } = new Decoder(OPTIONS).decode(request("otlp-metrics-json", body));
    expect(batch).toMatchObject({
      length: 1,
      series: [
        {
          labels: [
            ["__name__", "g_x_ratio"],
            ["a_b", "true"],
          ],
        },
      ],
    });
  });
});

test.each<[ContentEncoding, (body: Uint8Array) => Uint8Array]>([
  ["identity", (body) => body],
  ["snappy", (body) => snappyCompress(body)],
  ["gzip", (body) => gzipSync(body)],
  ["deflate", (body) => deflateSync(body)],
  ["zstd", (body) => zstdCompressSync(body)],
])("%s is decompressed, within the limit", (encoding, compress) => {
  const body = compress(encodeV1({ timeseries: [up] }));
  expect(new Decoder(OPTIONS).decode(request("remote-write-1", body, encoding)).batch.length).toBe(1);
  const strict = new Decoder({ ...OPTIONS, maxDecompressedBytes: 20 });
  expect(() => strict.decode(request("remote-write-1", body, encoding))).toThrow(TooLargeError);
  expect(() => strict.decode(request("remote-write-1", body, encoding))).toThrow(/limits\.max_decompressed_bytes/);
});

test("corrupt bodies are the sender's fault", () => {
  const decoder = new Decoder(OPTIONS);
  const garbage = Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa);
  for (const encoding of ["identity", "snappy", "gzip", "deflate", "zstd"] as const) {
    expect(() => decoder.decode(request("remote-write-1", garbage, encoding))).toThrow(InvalidInputError);
  }
});

test("nesting deeper than allowed is refused", () => {
  let value: Buffer = Buffer.from([0x0a, 0x01, 0x78]);
  const nest = (tag: number, inner: Buffer) => {
    const length = inner.length < 128 ? [inner.length] : [(inner.length & 0x7f) | 0x80, inner.length >> 7];
    return Buffer.from([tag, ...length, ...inner]);
  };
  // An array in an array in …
  for (let i = 0; i < 200; i++) value = nest(0x2a, nest(0x0a, value));
  const attribute = nest(0x0a, Buffer.concat([Buffer.from([0x0a, 0x01, 0x61]), nest(0x12, value)]));
  const body = nest(0x0a, nest(0x0a, attribute));
  expect(() => new Decoder(OPTIONS).decode(request("otlp-metrics-protobuf", body))).toThrow(
    /nested deeper than 100 levels/,
  );
});

describe("interned series", () => {
  const batchOf = (decoder: Decoder, names: readonly string[], tenant = ada) => {
    const timeseries = names.map((name): SeriesInput2 => ({ ...up, labels: [["__name__", name]] }));
    const decoded = decoder.decode(request("remote-write-1", encodeV1({ timeseries }), "identity", tenant));
    if (decoded.signal !== "metrics") throw new Error("not metrics");
    return decoded.batch;
  };
  const names = (count: number, prefix = "m") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  test("are the same object from request to request, and not shared between tenants", () => {
    const decoder = new Decoder(OPTIONS);
    const first = batchOf(decoder, ["up"]).series[0];
    expect(batchOf(decoder, ["up"]).series[0]).toBe(first);
    expect(batchOf(decoder, ["up"], bob).series[0]).not.toBe(first);
  });

  test("begin anew when they are too many; batches made before stay as they are", () => {
    const decoder = new Decoder(OPTIONS);
    const old = batchOf(decoder, names(1_500));
    const fresh = batchOf(decoder, ["m3"]);
    expect(fresh.series).toHaveLength(1);
    expect(old.series).toHaveLength(1_500);
    expect(old.series[old.refs[3] as number]?.labels).toEqual([["__name__", "m3"]]);
  });

  test("of the tenant not heard of for longest go first when all are too many", () => {
    const decoder = new Decoder(OPTIONS);
    const adas = batchOf(decoder, names(600)).series[0];
    const bobs = batchOf(decoder, names(600), bob).series[0];
    batchOf(decoder, ["m0"], bob);
    expect(batchOf(decoder, ["m0"], bob).series[0]).toBe(bobs);
    expect(batchOf(decoder, ["m0"]).series[0]).not.toBe(adas);
    expect(decoder.load).toBeLessThanOrEqual(1_000);
  });

  test("do not grow by what is only in exemplars", () => {
    const decoder = new Decoder(OPTIONS);
    const send = (round: number) => {
      const exemplars = Array.from({ length: 100 }, (_, i) => ({ labels: [["trace_id", `${round}-${i}`]] as const }));
      decoder.decode(request("remote-write-1", encodeV1({ timeseries: [{ ...up, exemplars }] })));
      return decoder.load;
    };
    const first = send(0);
    for (let round = 1; round < 20; round++) expect(send(round)).toBe(first);
  });

  test("are held within their bound under a churn of series, labels and tenants", () => {
    const decoder = new Decoder({ ...OPTIONS, maxSeriesInterned: 800 });
    for (let i = 0; i < 100; i++) {
      batchOf(decoder, names(100, `${"x".repeat(i * 20)}_${i}_`), tenantId(`t${i % 7}`));
      expect(decoder.load).toBeLessThanOrEqual(800);
    }
  });
});

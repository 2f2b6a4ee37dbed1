import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { sampleHistogram } from "@sightline/storage-conformance/example-histogram.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { ReferenceMetricStore } from "@sightline/storage-conformance/reference-metric-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { beforeAll, expect, test } from "vitest";
import { queryConfig } from "../config.ts";
import { TEST_DEPS } from "../http/test-app.ts";
import { ProtobufReader } from "../protobuf/protobuf-reader.ts";
import { ProtobufWriter } from "../protobuf/protobuf-writer.ts";
import { crc32c } from "./crc32c.ts";
import { registerRemoteRead } from "./routes.ts";
import { snappyCompress } from "./snappy-compress.ts";
import { snappyDecompress } from "./snappy-decompress.ts";

let app: FastifyInstance;
beforeAll(async () => {
  const store = new ReferenceMetricStore();
  const rows = [
    { labels: { __name__: "b" }, samples: [[1_000, 1] as const, [2_000, 2] as const] },
    { labels: { __name__: "a", x: "y" }, samples: [[1_500, 5] as const, [3_000, "STALE"] as const] },
    { labels: { __name__: "h" }, samples: [[1_000, sampleHistogram(1)] as const] },
  ];
  await store.append(DEFAULT_TENANT, metricBatchOf(rows), 0);
  app = fastify();
  const config = queryConfig.parse({ remote_read: { max_samples: 4, max_bytes: 1_000 } });
  registerRemoteRead(app, { ...TEST_DEPS, config, store });
});

type Matcher = readonly [type: number, name: string, value: string];
function request(matchers: readonly Matcher[], accepted: readonly number[], [startMs, endMs] = [0, 10_000]): Buffer {
  const writer = new ProtobufWriter();
  writer.message(1, () => {
    writer.safeInt64(1, startMs as number);
    writer.safeInt64(2, endMs as number);
    for (const [type, name, value] of matchers) {
      writer.message(3, () => {
        writer.uint32(1, type);
        writer.string(2, name);
        writer.string(3, value);
      });
    }
  });
  for (const type of accepted) writer.uint32(2, type);
  return writer.finish();
}

const ask = (payload: Uint8Array) =>
  app.inject({
    method: "POST",
    url: "/api/v1/read",
    headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy" },
    payload: snappyCompress(payload),
  });

/** Fields by number: texts for labels, counts for everything else. */
function labelsOf(series: ProtobufReader): string {
  const texts: string[] = [];
  while (series.next()) {
    if (series.field !== 1) {
      series.skip();
      continue;
    }
    const label = series.message();
    const parts: string[] = [];
    while (label.next()) parts.push(label.string());
    texts.push(parts.join("="));
  }
  return texts.join(",");
}

test("samples come in one message, compressed", async () => {
  const answer = await ask(request([[2, "__name__", "a|b"]], []));
  expect(answer.statusCode).toBe(200);
  expect(answer.headers).toMatchObject({ "content-type": "application/x-protobuf", "content-encoding": "snappy" });
  const response = new ProtobufReader(snappyDecompress(answer.rawPayload, 10_000));
  expect(response.next()).toBe(true);
  const result = response.message();
  const names: string[] = [];
  while (result.next()) names.push(labelsOf(result.message()));
  expect(names.sort()).toEqual(["__name__=a,x=y", "__name__=b"]);
  expect(response.next()).toBe(false);
});

test("chunks come in frames with checksums, series in order", async () => {
  const answer = await ask(request([[3, "__name__", ""]], [7, 1]));
  expect(answer.headers["content-type"]).toBe("application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse");
  const names: string[] = [];
  const bytes = answer.rawPayload;
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] as number;
    const message = bytes.subarray(at + 5, at + 5 + length);
    expect(bytes.readUInt32BE(at + 1)).toBe(crc32c(message));
    const frame = new ProtobufReader(message);
    frame.next();
    names.push(labelsOf(frame.message()));
    at += 5 + length;
  }
  expect(names).toEqual(["__name__=a,x=y", "__name__=b", "__name__=h"]);
});

test("the checksum is Castagnoli's", () => expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283));

test.each([
  ["a body that is not snappy", Buffer.from([1, 2, 3]), /^snappy: corrupt input/],
  ["one that is not protobuf", snappyCompress(Buffer.from([0xff])), /^malformed protobuf/],
  ["a matcher of an unknown type", snappyCompress(request([[9, "a", "b"]], [])), /^invalid matcher type/],
  ["an expression that is not one", snappyCompress(request([[2, "a", "("]], [])), /^invalid regular expression/],
  ["types that nobody has", snappyCompress(request([], [5])), /does not support any of the requested/],
  ["too many samples", snappyCompress(request([], [])), /query\.remote_read\.max_samples/],
])("%s is refused in plain text", async (_, payload, want) => {
  const answer = await app.inject({ method: "POST", url: "/api/v1/read", payload });
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([400, "text/plain; charset=utf-8"]);
  expect(answer.body).toMatch(want);
});

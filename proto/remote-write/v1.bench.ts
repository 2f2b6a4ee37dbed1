/**
 * Microseconds per sample of decompressing and decoding remote write 1.0, known series: `node remote-write/v1.bench.ts`.
 * 20,000 series of 10 labels, 2,000 samples a request; medians over the rounds, the first two rounds warm up.
 */
import { snappyCompress } from "hysnappy";
import { Writer } from "protobufjs/minimal.js";
import { decompress } from "../compression.ts";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { RemoteWrite1Decoder } from "./v1.ts";

const SERIES = 20_000;
const PER_REQUEST = 2_000;
const ROUNDS = 12;

function request(first: number, round: number): Uint8Array {
  const writer = Writer.create();
  for (let i = first; i < first + PER_REQUEST; i++) {
    writer.uint32(10).fork();
    for (const [name, value] of [
      ["__name__", `http_server_request_duration_seconds_bucket_${i % 50}`],
      ["cluster", "production-eu-west-1"],
      ["container", "checkout-service"],
      ["instance", `10.24.${i % 200}.${i % 250}:8080`],
      ["job", "kubernetes-pods"],
      ["le", String((i % 12) / 8)],
      ["method", "POST"],
      ["namespace", "shop"],
      ["pod", `checkout-service-7d9c6b7f5d-${i}`],
      ["status_code", "200"],
    ] as const) {
      writer.uint32(10).fork().uint32(10).string(name).uint32(18).string(value).ldelim();
    }
    const sample = writer.uint32(18).fork();
    if (i % 7 !== 0) sample.uint32(9).double(Math.round(i * 17 + round * 100 * Math.random()) / 8);
    sample
      .uint32(16)
      .int64(1_790_000_000_000 + round * 15_000)
      .ldelim();
    writer.ldelim();
  }
  return writer.finish();
}

const decoder = new RemoteWrite1Decoder(new SeriesInterner(1_000_000));
const both: number[] = [];
const decodeOnly: number[] = [];
let labelBytes = 0;
for (let round = 0; round < ROUNDS; round++) {
  for (let first = 0; first < SERIES; first += PER_REQUEST) {
    const plain = request(first, round);
    labelBytes = (plain.length - PER_REQUEST * 20) / PER_REQUEST;
    const body = snappyCompress(plain);
    const begin = performance.now();
    const bytes = decompress(body, "snappy", 1 << 26);
    const middle = performance.now();
    const { batch } = decoder.decode(bytes);
    const end = performance.now();
    if (batch.length !== PER_REQUEST) throw new Error("lost samples");
    if (round < 2) continue;
    both.push(((end - begin) * 1000) / PER_REQUEST);
    decodeOnly.push(((end - middle) * 1000) / PER_REQUEST);
  }
}
const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]?.toFixed(3);
console.log(
  `remote write 1.0, about ${labelBytes} label bytes a series: ` +
    `${median(both)} µs/sample with snappy, ${median(decodeOnly)} µs/sample without`,
);

/**
 * Microseconds per sample of decoding remote write 2.0, known series: `node remote-write/v2.bench.ts`.
 * 20,000 series of 10 labels, 2,000 samples a request, as Prometheus sends them; medians after two rounds.
 */
import { snappyCompress } from "hysnappy";
import { decompress } from "../compression.ts";
import { SeriesInterner } from "../metrics/series-interner.ts";
import { encodeV2, type SeriesInput2 } from "./test-messages.ts";
import { RemoteWrite2Decoder } from "./v2.ts";

const SERIES = 20_000;
const PER_REQUEST = 2_000;
const ROUNDS = 10;

function request(first: number, round: number): Uint8Array {
  const timeseries = Array.from({ length: PER_REQUEST }, (_, offset): SeriesInput2 => {
    const i = first + offset;
    const value = i % 7 === 0 ? 0 : Math.round(i * 17 + round * 100 * Math.random()) / 8;
    return {
      labels: [
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
      ],
      samples: [{ value, timestamp: 1_790_000_000_000 + round * 15_000 }],
      metadata: { type: 3, help: "How long requests took.", unit: "seconds" },
    };
  });
  return encodeV2(timeseries);
}

const decoder = new RemoteWrite2Decoder(new SeriesInterner(1_000_000));
const times: number[] = [];
const decodeOnly: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  for (let first = 0; first < SERIES; first += PER_REQUEST) {
    const body = snappyCompress(request(first, round));
    const begin = performance.now();
    const bytes = decompress(body, "snappy", 1 << 26);
    const middle = performance.now();
    const { batch } = decoder.decode(bytes);
    const end = performance.now();
    if (batch.length !== PER_REQUEST) throw new Error("lost samples");
    if (round < 2) continue;
    times.push(((end - begin) * 1000) / PER_REQUEST);
    decodeOnly.push(((end - middle) * 1000) / PER_REQUEST);
  }
}
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]?.toFixed(3);
console.log(`remote write 2.0: ${median(times)} µs/sample with snappy, ${median(decodeOnly)} µs/sample without`);

/** `node proto/otlp/traces.bench.ts`: median time per span of decoding 50 traces of 20 spans, 10 attributes each. */
import { otlpJsonToProtobuf } from "./json.ts";
import { decodeOtlpTraces } from "./traces.ts";

const TRACES = 50;
const SERVICES = 6;
const SPANS_PER_TRACE = 20;
const ROUNDS = 400;

/** A request grouped by service, as the collector's batch processor makes it. */
export function tracesRequest(): Uint8Array {
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % below;
  };
  const hex = (digits: number) => Array.from({ length: digits }, () => random(16).toString(16)).join("");
  const string = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const traceIds = Array.from({ length: TRACES }, () => hex(32));
  const span = (i: number) => ({
    traceId: traceIds[Math.floor((i * SERVICES) / SPANS_PER_TRACE) % TRACES],
    spanId: hex(16),
    parentSpanId: hex(16),
    name: ["GET /cart", "POST /checkout", "SELECT orders", "publish order"][random(4)],
    kind: 1 + random(5),
    startTimeUnixNano: String(1_790_000_000_000_000_000n + BigInt(i) * 1_000_003n),
    endTimeUnixNano: String(1_790_000_000_050_000_000n + BigInt(i) * 1_000_003n),
    attributes: [
      string("http.request.method", ["GET", "POST", "PUT"][random(3)] as string),
      string("http.route", `/api/v1/items/{id}/${random(20)}`),
      { key: "http.response.status_code", value: { intValue: [200, 201, 404, 500][random(4)] } },
      string("url.path", `/api/v1/items/${random(100_000)}`),
      string("user.id", `u-${random(10_000)}`),
      string("client.address", `10.${random(256)}.${random(256)}.${random(256)}`),
      string("server.address", "catalogue.shop.svc"),
      string("network.protocol.version", "1.1"),
      { key: "thread.id", value: { intValue: random(64) } },
      { key: "cache.hit", value: { boolValue: random(2) === 1 } },
    ],
    ...(random(100) < 3
      ? {
          status: { code: 2, message: "timeout" },
          events: [
            {
              timeUnixNano: "1790000000000000000",
              name: "exception",
              attributes: [string("exception.type", "TimeoutError"), string("exception.message", "deadline exceeded")],
            },
          ],
        }
      : {}),
  });
  const perService = Math.floor((TRACES * SPANS_PER_TRACE) / SERVICES);
  const resourceSpans = Array.from({ length: SERVICES }, (_, service) => ({
    resource: { attributes: [string("service.name", `service-${service}`), string("host.name", `node-${service}`)] },
    scopeSpans: [
      { scope: { name: "http", version: "1.0.0" }, spans: Array.from({ length: perService }, (_, i) => span(i)) },
    ],
  }));
  return otlpJsonToProtobuf("traces", Buffer.from(JSON.stringify({ resourceSpans })));
}

if (import.meta.main) {
  const bytes = tracesRequest();
  const times: number[] = [];
  let spans = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    spans = decodeOtlpTraces(bytes, 0).batch.length;
    times.push(Number(process.hrtime.bigint() - start) / 1_000);
  }
  const median = times.sort((a, b) => a - b)[ROUNDS >> 1] as number;
  console.log(`${bytes.length} bytes, ${spans} spans: ${(median / spans).toFixed(3)} µs/span`);
}

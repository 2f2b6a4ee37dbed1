import type { AttributeType } from "@sightline/model/attributes.ts";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import type { SpanBatch, SpanSource } from "@sightline/model/span-batch.ts";
import { randomHex, randomInts } from "../segments/random.ts";

const SERVICES = 20;
export const SPANS_PER_TRACE = 20;
const SPAN_NAMES = ["GET /checkout", "POST /api/v1/prices", "SELECT shop.items", "validate session", "orders publish"];
const ATTRIBUTES: readonly (readonly [name: string, type: AttributeType, make: (random: Random) => string])[] = [
  ["user.id", "string", (random) => `u-${random(50_000)}`],
  ["tenant.id", "string", (random) => `tenant-${random(40)}`],
  ["thread.id", "int", (random) => `${random(64)}`],
  ["code.function.name", "string", (random) => `Service${random(6)}.call`],
  ["server.address", "string", (random) => `service-${random(SERVICES)}.shop.svc.cluster.local`],
  ["server.port", "int", () => "8080"],
  ["http.request.method", "string", (random) => ["GET", "POST", "PUT"][random(3)] as string],
  ["http.route", "string", (random) => `/api/v1/route/${random(8)}`],
  ["http.response.status_code", "int", (random) => `${200 + random(4) * 100}`],
  ["http.response.body.size", "int", (random) => `${random(90_000)}`],
];
type Random = (below: number) => number;

/** Batches for benchmarks: traces of 20 spans over the services, ten attributes a span, ids as random as real ones. */
export function* otelLikeSpans(options: {
  readonly traces: number;
  readonly tracesPerBatch: number;
  readonly startNs: bigint;
  readonly stepNs: bigint;
}): Generator<SpanBatch> {
  const random = randomInts(2);
  const sources = Array.from({ length: SERVICES }, (_, i): SpanSource => {
    const resource = {
      "service.name": `service-${i}`,
      "k8s.pod.name": `service-${i}-${i}`,
      "k8s.namespace.name": "shop",
    };
    return {
      resource: Object.entries(resource).map(([name, value]) => ({ name, type: "string", value })),
      scope: NO_SCOPE,
      resourceSchemaUrl: "",
    };
  });
  for (let first = 0; first < options.traces; first += options.tracesPerBatch) {
    const length = options.tracesPerBatch * SPANS_PER_TRACE;
    const rows = Array.from({ length }, (_, row) => ({
      trace: first + Math.floor(row / SPANS_PER_TRACE),
      span: row % SPANS_PER_TRACE,
    }));
    const spanIds = rows.map(() => randomHex(random, 16));
    yield {
      length,
      sources,
      sourceRefs: Uint32Array.from(rows, ({ trace, span }) => (trace + (span >> 2)) % SERVICES),
      traceIds: rows.map(({ trace }) => traceIdOf(trace)),
      spanIds,
      parentSpanIds: rows.map(({ span }, row) =>
        span === 0 ? "" : (spanIds[row - 1 - (span % 3 === 0 ? span - 1 : 0)] as string),
      ),
      traceStates: rows.map(() => ""),
      flags: new Uint32Array(length).fill(1),
      names: rows.map(({ span }) => SPAN_NAMES[span % SPAN_NAMES.length] as string),
      kinds: Uint8Array.from(rows, ({ span }) => 1 + (span % 3)),
      startsNs: BigInt64Array.from(
        rows.map(({ trace }) => options.startNs + options.stepNs * BigInt(trace) + BigInt(random(2e8))),
      ),
      durationsNs: BigInt64Array.from(rows.map(() => BigInt(random(1e8)))),
      statusCodes: Uint8Array.from(rows, () => (random(100) < 3 ? 2 : 0)),
      statusMessages: rows.map(() => ""),
      attributes: ATTRIBUTES.map(([name, type, make]) => ({ name, type, values: rows.map(() => make(random)) })),
      events: [],
      links: [],
    };
  }
}

/** The id of the n-th trace. */
export function traceIdOf(n: number): string {
  return randomHex(randomInts(n + 1_000), 32);
}

import { Ask } from "./ask.ts";
import { grpcCall } from "./grpc-call.ts";
import { call } from "./http-call.ts";
import { encodeGauges, encodeLogs, encodeSpans, GRPC_METHODS, type OtlpSignal } from "./otlp.ts";
import { remoteWrite } from "./remote-write.ts";
import { type Endpoints, type Found, type Load, type SendResult, TrackedWriter } from "./tracked-writer.ts";

const SERIES = 10;
const RECORDS = 10;
const SPANS = 5;
/** Traces are read one by one: many requests share one. */
const REQUESTS_PER_TRACE = 40;
const STEP_MS = 20;

/**
 * 429 and 503 promise that nothing of the request is kept. Without an answer nobody knows. Any other answer would be
 * wrong for what is sent here.
 */
async function outcome(send: () => Promise<number>): Promise<SendResult> {
  let status: number;
  try {
    status = await send();
  } catch (error) {
    const text = String(error);
    // Nobody listened, or the server says that it has not looked at it (RFC 9113, section 8.7): it certainly was not kept.
    return /ECONNREFUSED|REFUSED_STREAM/.test(text) ? { kind: "refused" } : { kind: "unknown", text };
  }
  if (status >= 200 && status < 300) return { kind: "acknowledged" };
  if (status === 429 || status === 503) return { kind: "refused" };
  throw new Error(`answered with ${status}`);
}

type Post = (server: Endpoints, body: Buffer) => Promise<number>;

function overHttp(signal: OtlpSignal): Post {
  const headers = { "content-type": "application/x-protobuf" };
  return async (server, body) => (await call(`${server.otlpHttp}/v1/${signal}`, { headers, body })).status;
}

/** gRPC's codes in terms of HTTP; a call that broke is thrown. */
function overGrpc(signal: OtlpSignal): Post {
  return async (server, body) => {
    const { code, message } = await grpcCall(server.otlpGrpc, GRPC_METHODS[signal], body);
    if (code < 0) throw new Error(message);
    return { 0: 200, 8: 429, 14: 503 }[code] ?? 500 + code;
  };
}

function tally(found: Map<number, number[]>, request: number, item: number, items: number): void {
  let counts = found.get(request);
  if (!counts) {
    counts = new Array<number>(items).fill(0);
    found.set(request, counts);
  }
  counts[item] = (counts[item] ?? 0) + 1;
}

/** Series `name{series="0…"}`; sample `request` is at `startMs + request * STEP_MS` with its number as value. */
async function findSamples(
  server: Endpoints,
  name: string,
  startMs: number,
  requests: readonly number[],
  strangers: string[],
): Promise<Found> {
  const known = new Set(requests);
  const found = new Map<number, number[]>();
  for (const { metric, values, histograms } of await new Ask(server.url).promql(`{__name__="${name}"}[3h]`)) {
    const points = [
      ...(values ?? []),
      ...(histograms ?? []).map(([time, histogram]) => [time, (histogram as { sum: string }).sum] as const),
    ];
    for (const [seconds, value] of points) {
      const request = Math.round((Math.round(seconds * 1000) - startMs) / STEP_MS);
      if (!known.has(request) || Number(value) !== request)
        strangers.push(`${JSON.stringify(metric)} ${value} @${seconds}`);
      else tally(found, request, Number(metric.series), SERIES);
    }
  }
  return found;
}

function metricLoad(name: string, send: (server: Endpoints, request: number, timeMs: number) => Promise<number>): Load {
  const startMs = Date.now() - 3_600_000;
  return {
    name,
    signal: "metrics",
    itemsPerRequest: SERIES,
    idempotent: true,
    send: (server, request) => outcome(() => send(server, request, startMs + request * STEP_MS)),
    find: (server, requests, strangers) => findSamples(server, name, startMs, requests, strangers),
  };
}

function remoteWriteLoad(name: string, version: 1 | 2): Load {
  return metricLoad(name, async (server, request, timeMs) => {
    const series = Array.from({ length: SERIES }, (_, i) => {
      const labels = [
        ["__name__", name],
        ["series", String(i)],
      ] as const;
      // The last series is one of native histograms; their sum identifies them.
      return i < SERIES - 1
        ? { labels, samples: [{ timeMs, value: request }] }
        : {
            labels,
            histograms: [
              { timeMs, schema: 3, count: 2, sum: request, positiveSpans: [[0, 2]] as const, positive: [1, 0] },
            ],
          };
    });
    return (await remoteWrite(server.url, version, series)).status;
  });
}

function otlpMetricsLoad(name: string, post: Post): Load {
  return metricLoad(name, (server, request, timeMs) => {
    const timeNs = BigInt(timeMs) * 1_000_000n;
    const points = Array.from({ length: SERIES }, (_, i) => ({
      timeNs,
      value: request,
      attributes: { series: String(i) },
    }));
    return post(server, encodeGauges(name, [{ name, points }]));
  });
}

function logLoad(name: string, post: Post): Load {
  const startNs = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  return {
    name,
    signal: "logs",
    itemsPerRequest: RECORDS,
    idempotent: false,
    send: (server, request) =>
      outcome(() => {
        const records = Array.from({ length: RECORDS }, (_, i) => ({
          timeNs: startNs + BigInt(request * RECORDS + i) * 1_000n,
          body: `request=${request} item=${i}`,
          attributes: { request, item: i },
        }));
        return post(server, encodeLogs(name, records));
      }),
    async find(server, requests, strangers) {
      const known = new Set(requests);
      const found = new Map<number, number[]>();
      const endNs = startNs + 7_200_000_000_000n;
      for (const { line, timeNs } of await new Ask(server.url).logs(`{service_name="${name}"}`, startNs, endNs)) {
        const [, request = "", item = ""] = /^request=(\d+) item=(\d+)$/.exec(line) ?? [];
        const wantNs = startNs + BigInt(Number(request) * RECORDS + Number(item)) * 1_000n;
        if (request === "" || !known.has(Number(request)) || timeNs !== wantNs) strangers.push(`${line} @${timeNs}`);
        else tally(found, Number(request), Number(item), RECORDS);
      }
      return found;
    },
  };
}

/** Span `item` of `request` has the id `request * SPANS + item + 1`, in the trace that its request shares with others. */
function spanLoad(name: string, kind: number, post: Post): Load {
  const startNs = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  const hex = (value: number) => value.toString(16).padStart(16, "0");
  const traceIdOf = (trace: number) => `${"c".repeat(14)}${kind.toString(16).padStart(2, "0")}${hex(trace)}`;
  const traceOf = (request: number) => Math.floor(request / REQUESTS_PER_TRACE);
  return {
    name,
    signal: "traces",
    itemsPerRequest: SPANS,
    idempotent: true,
    send: (server, request) =>
      outcome(() => {
        const spans = Array.from({ length: SPANS }, (_, i) => ({
          traceId: Buffer.from(traceIdOf(traceOf(request)), "hex"),
          spanId: Buffer.from(hex(request * SPANS + i + 1), "hex"),
          name: `span ${request} ${i}`,
          startNs: startNs + BigInt(request) * 1_000_000n,
          endNs: startNs + BigInt(request) * 1_000_000n + 500n,
        }));
        return post(server, encodeSpans(name, spans));
      }),
    async find(server, requests, strangers) {
      const ask = new Ask(server.url);
      const known = new Set(requests);
      const found = new Map<number, number[]>();
      for (const trace of new Set(requests.map(traceOf))) {
        for (const { operationName, spanID } of (await ask.trace(traceIdOf(trace)))?.spans ?? []) {
          const [, request = "", item = ""] = /^span (\d+) (\d)$/.exec(operationName) ?? [];
          const isOurs =
            known.has(Number(request)) &&
            traceOf(Number(request)) === trace &&
            spanID === hex(Number(request) * SPANS + Number(item) + 1);
          if (request === "" || !isOurs) strangers.push(`${operationName} ${spanID} in ${traceIdOf(trace)}`);
          else tally(found, Number(request), Number(item), SPANS);
        }
      }
      return found;
    },
  };
}

/** Remote write 1 and 2, and OTLP's three signals over HTTP and over gRPC, each into items of its own. */
export function trackedWriters(): TrackedWriter[] {
  const remoteWriters = [remoteWriteLoad("tracked_remote_write_1", 1), remoteWriteLoad("tracked_remote_write_2", 2)];
  return [...remoteWriters.map((load) => new TrackedWriter(load)), ...trackedOtlpWriters()];
}

export function trackedOtlpWriters(): TrackedWriter[] {
  return [
    otlpMetricsLoad("tracked_otlp_http", overHttp("metrics")),
    otlpMetricsLoad("tracked_otlp_grpc", overGrpc("metrics")),
    logLoad("tracked-logs-http", overHttp("logs")),
    logLoad("tracked-logs-grpc", overGrpc("logs")),
    spanLoad("tracked-spans-http", 10, overHttp("traces")),
    spanLoad("tracked-spans-grpc", 11, overGrpc("traces")),
  ].map((load) => new TrackedWriter(load));
}

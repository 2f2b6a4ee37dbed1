import { Ask } from "./ask.ts";
import { grpcCall } from "./grpc-call.ts";
import { call } from "./http-call.ts";
import { encodeGauges, encodeLogs, encodeSpans, GRPC_METHODS } from "./otlp.ts";
import { remoteWrite } from "./remote-write.ts";
import type { ServerProcess } from "./server-process.ts";

/** What a writer knows of one of its requests. */
type Sent = {
  /** Answered with success, once at most: a request is not sent again after that. */
  acknowledged: boolean;
  /** Times it was sent without an answer that says what became of it: the process died or failed meanwhile. */
  unknown: number;
};
type SendResult = "acknowledged" | "refused" | "unknown";
/** How often each item of each request was found, by request number. */
type Found = ReadonlyMap<number, readonly number[]>;

/** Kind of load: how a request with a number is sent, and how all of its items are read back. */
type Load = {
  readonly name: string;
  readonly itemsPerRequest: number;
  /** The same item sent again is the same item; otherwise it may be there once more for each unknown outcome. */
  readonly idempotent: boolean;
  send(server: ServerProcess, request: number): Promise<SendResult>;
  /** `requests` are those that were ever sent; anything else that is found is listed in `strangers`. */
  find(server: ServerProcess, requests: readonly number[], strangers: string[]): Promise<Found>;
};

/** Half of the requests with an unknown outcome are sent again, as a client that retries would. */
const RETRIED_EVERY = 2;

/** Sends one kind of load and remembers exactly what must, may and must not be there. */
export class CrashWriter {
  readonly #load: Load;
  readonly #sent = new Map<number, Sent>();
  readonly #toRetry: number[] = [];
  #next = 0;

  constructor(load: Load) {
    this.#load = load;
  }

  get name(): string {
    return this.#load.name;
  }

  get acknowledgedItems(): number {
    let requests = 0;
    for (const { acknowledged } of this.#sent.values()) if (acknowledged) requests++;
    return requests * this.#load.itemsPerRequest;
  }

  get unknownRequests(): number {
    return [...this.#sent.values()].filter(({ unknown }) => unknown > 0).length;
  }

  /** Sends request after request until `stopped`. */
  async run(server: ServerProcess, stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      const request = this.#toRetry.shift() ?? this.#next++;
      const sent = this.#sent.get(request) ?? { acknowledged: false, unknown: 0 };
      this.#sent.set(request, sent);
      const result = await this.#load.send(server, request);
      if (result === "acknowledged") sent.acknowledged = true;
      else if (result === "unknown") {
        sent.unknown++;
        if (request % RETRIED_EVERY === 0) this.#toRetry.push(request);
      } else this.#toRetry.push(request);
    }
  }

  /** One line for everything that is lost, doubled, torn or unknown. */
  async violations(server: ServerProcess): Promise<string[]> {
    const strangers: string[] = [];
    const found = await this.#load.find(server, [...this.#sent.keys()], strangers);
    const lines = strangers.map((text) => `${this.name}: never sent: ${text}`);
    for (const [request, sent] of this.#sent) {
      const counts = found.get(request) ?? new Array<number>(this.#load.itemsPerRequest).fill(0);
      const min = sent.acknowledged ? 1 : 0;
      const max = this.#load.idempotent ? Math.min(1, min + sent.unknown) : min + sent.unknown;
      const what = `request ${request} (${JSON.stringify(sent)}) is there ${JSON.stringify(counts)} times`;
      if (counts.some((count) => count < min)) lines.push(`${this.name}: lost: ${what}`);
      if (counts.some((count) => count > max)) lines.push(`${this.name}: doubled: ${what}`);
      if (new Set(counts).size > 1) lines.push(`${this.name}: torn: ${what}`);
    }
    return lines;
  }
}

const SERIES = 10;
const RECORDS = 10;
const SPANS = 5;
const STEP_MS = 20;

async function outcome(send: () => Promise<number>): Promise<SendResult> {
  try {
    const status = await send();
    if (status >= 200 && status < 300) return "acknowledged";
    return status >= 500 ? "unknown" : "refused";
  } catch (error) {
    // Nobody listened: it certainly did not arrive.
    return String(error).includes("ECONNREFUSED") ? "refused" : "unknown";
  }
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
  server: ServerProcess,
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

function metricLoad(
  name: string,
  send: (server: ServerProcess, request: number, timeMs: number) => Promise<number>,
): Load {
  const startMs = Date.now() - 3_600_000;
  return {
    name,
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

function otlpMetricsLoad(name: string): Load {
  return metricLoad(name, async (server, request, timeMs) => {
    const timeNs = BigInt(timeMs) * 1_000_000n;
    const points = Array.from({ length: SERIES }, (_, i) => ({
      timeNs,
      value: request,
      attributes: { series: String(i) },
    }));
    const headers = { "content-type": "application/x-protobuf" };
    return (await call(`${server.otlpHttp}/v1/metrics`, { headers, body: encodeGauges(name, [{ name, points }]) }))
      .status;
  });
}

function logLoad(name: string, send: (server: ServerProcess, body: Buffer) => Promise<number>): Load {
  const startNs = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  return {
    name,
    itemsPerRequest: RECORDS,
    idempotent: false,
    send: (server, request) =>
      outcome(() => {
        const records = Array.from({ length: RECORDS }, (_, i) => ({
          timeNs: startNs + BigInt(request * RECORDS + i) * 1_000n,
          body: `request=${request} item=${i}`,
          attributes: { request, item: i },
        }));
        return send(server, encodeLogs(name, records));
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

function spanLoad(name: string, kind: number): Load {
  const startNs = BigInt(Date.now() - 3_600_000) * 1_000_000n;
  const traceId = (request: number) =>
    `${"c".repeat(14)}${kind.toString(16).padStart(2, "0")}${request.toString(16).padStart(16, "0")}`;
  return {
    name,
    itemsPerRequest: SPANS,
    idempotent: true,
    send: (server, request) =>
      outcome(async () => {
        const spans = Array.from({ length: SPANS }, (_, i) => ({
          traceId: Buffer.from(traceId(request), "hex"),
          spanId: Buffer.from((i + 1).toString(16).padStart(16, "0"), "hex"),
          name: `span ${i}`,
          startNs: startNs + BigInt(request) * 1_000_000n,
          endNs: startNs + BigInt(request) * 1_000_000n + 500n,
        }));
        const headers = { "content-type": "application/x-protobuf" };
        return (await call(`${server.otlpHttp}/v1/traces`, { headers, body: encodeSpans(name, spans) })).status;
      }),
    async find(server, requests, strangers) {
      const ask = new Ask(server.url);
      const found = new Map<number, number[]>();
      const queue = [...requests];
      const reader = async () => {
        for (let request = queue.pop(); request !== undefined; request = queue.pop()) {
          const trace = await ask.trace(traceId(request));
          for (const { operationName } of trace?.spans ?? []) {
            const item = Number(/^span (\d)$/.exec(operationName)?.[1]);
            if (Number.isNaN(item)) strangers.push(`${operationName} in ${traceId(request)}`);
            else tally(found, request, item, SPANS);
          }
        }
      };
      await Promise.all([reader(), reader(), reader(), reader()]);
      return found;
    },
  };
}

/** Two writers of remote write, one of OTLP metrics, two of logs (HTTP, gRPC), two of spans. */
export function crashWriters(): CrashWriter[] {
  const headers = { "content-type": "application/x-protobuf" };
  return [
    remoteWriteLoad("crash_remote_write_1", 1),
    remoteWriteLoad("crash_remote_write_2", 2),
    otlpMetricsLoad("crash_otlp_metrics"),
    logLoad(
      "crash-logs-http",
      async (server, body) => (await call(`${server.otlpHttp}/v1/logs`, { headers, body })).status,
    ),
    logLoad("crash-logs-grpc", async (server, body) => {
      const { code, message } = await grpcCall(server.otlpGrpc, GRPC_METHODS.logs, body);
      if (code === 8) return 429;
      if (code !== 0) throw new Error(`code ${code} ${message}`);
      return 200;
    }),
    spanLoad("crash-spans-a", 10),
    spanLoad("crash-spans-b", 11),
  ].map((load) => new CrashWriter(load));
}

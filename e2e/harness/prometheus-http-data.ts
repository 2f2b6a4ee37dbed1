import { gunzipSync, inflateSync } from "node:zlib";
import { type Answer, call } from "./http-call.ts";
import type { HttpCase } from "./prometheus-http-cases.ts";
import { encodeRemoteWrite1, encodeRemoteWrite2, type Series, snappy } from "./remote-write.ts";

const COUNTER = 1;
const GAUGE = 2;
const HEADERS = [
  "content-type",
  "content-encoding",
  "allow",
  "access-control-allow-origin",
  "access-control-allow-methods",
  "access-control-allow-headers",
  "access-control-expose-headers",
] as const;

const endSeconds = Math.floor(Date.now() / 15_000) * 15;
const endMs = endSeconds * 1_000;
const times = Array.from({ length: 21 }, (_, i) => endMs - (20 - i) * 15_000);

/** What the cases ask about, up to now. */
function seriesToWrite(): Series[] {
  const floats = (value: (i: number) => number) => times.map((timeMs, i) => ({ timeMs, value: value(i) }));
  const requests = (job: string, code: string, slope: number): Series => ({
    labels: [
      ["__name__", "requests_total"],
      ["code", code],
      ["dotted.label", "a b"],
      ["job", job],
    ],
    samples: floats((i) => i * slope),
    exemplars: [{ labels: [["trace_id", `t-${job}`]], value: slope, timeMs: endMs - 60_000 }],
    metadata: { type: COUNTER, help: "Requests.", unit: "" },
  });
  const gauge = (name: string, job: string, value: (i: number) => number): Series => ({
    labels: [
      ["__name__", name],
      ["job", job],
    ],
    samples: floats(value),
    metadata: { type: GAUGE, help: `What is "${name}"?`, unit: "" },
  });
  return [
    requests("api", "200", 1.5),
    requests("api", "500", 0.1),
    requests("web", "200", 7),
    gauge("in_flight", "api", (i) => 10 - i / 3),
    gauge("dotted.name", "api", (i) => i),
    gauge("odd_values", "a", () => Number.NaN),
    gauge("odd_values", "b", () => Number.NEGATIVE_INFINITY),
    gauge("odd_values", "c", () => 1e21),
    gauge("odd_values", "d", () => 5e-324),
    {
      labels: [
        ["__name__", "latency"],
        ["job", "api"],
      ],
      histograms: times.map((timeMs, i) => ({
        timeMs,
        schema: 1,
        count: 6 * (i + 1),
        sum: 9.5 * (i + 1),
        zeroThreshold: 0.001,
        zeroCount: i + 1,
        positiveSpans: [
          [0, 2],
          [1, 1],
        ],
        positive: [i + 1, i + 1, -(i + 1)],
        negativeSpans: [[0, 1]],
        negative: [i + 1],
      })),
    },
  ];
}

function bodyOf(answer: Answer): Buffer {
  const encoding = answer.headers["content-encoding"];
  if (encoding === "gzip") return gunzipSync(answer.body);
  return encoding === "deflate" ? inflateSync(answer.body) : answer.body;
}

/** What two servers must agree on. */
export function comparable(answer: Answer, { except = [], bodyDiffers }: HttpCase) {
  const headers = Object.fromEntries(HEADERS.map((name) => [name, answer.headers[name]]));
  const text = bodyOf(answer).toString();
  if (bodyDiffers) return { status: answer.status, headers };
  if (!/^application\/json/.test(answer.headers["content-type"] ?? "")) return { status: answer.status, headers, text };
  const body = JSON.parse(text || "null") as unknown;
  for (const path of except) remove(body, path.split("."));
  sortVectors(body);
  return { status: answer.status, headers, body };
}

/** Neither server promises an order of the series of an instant query, and Prometheus gives them as it finds them. */
function sortVectors(body: unknown): void {
  const data = (body as { data?: unknown } | null)?.data;
  const list = Array.isArray(data) ? data : (data as { result?: unknown } | undefined)?.result;
  if (!Array.isArray(list) || typeof list[0] !== "object") return;
  const key = (one: { metric?: unknown; seriesLabels?: unknown }) =>
    JSON.stringify(Object.entries(one.metric ?? one.seriesLabels ?? one).sort());
  list.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function remove(value: unknown, [first, ...rest]: readonly string[]): void {
  if (value === null || typeof value !== "object" || first === undefined) return;
  const object = value as Record<string, unknown>;
  if (rest.length === 0) delete object[first];
  else remove(object[first], rest);
}

/** Remote write requests with all of it, by version. */
export function httpDataRequests(): readonly (readonly [version: 1 | 2, body: Buffer])[] {
  const metadata = [{ metric: "requests_total", type: COUNTER, help: "Requests.", unit: "" }];
  return [
    [2, snappy(encodeRemoteWrite2(seriesToWrite()))],
    [1, snappy(encodeRemoteWrite1([], metadata))],
  ];
}

export function askCase(base: string, { request, form, headers = {} }: HttpCase): Promise<Answer> {
  const filled = (text: string) =>
    text
      .replaceAll("{now}", String(endSeconds))
      .replace(/\{(\d)m\}/g, (_, minutes) => String(endSeconds - 60 * minutes));
  const [method, path] = request.split(" ") as [string, string];
  const url = base + filled(path).replace(/[{}"=~<>^\\]/g, (c) => (c === "=" ? c : encodeURIComponent(c)));
  const type = form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
  return call(url, {
    method,
    headers: { ...type, ...headers },
    ...(form === undefined ? {} : { body: filled(form) }),
  });
}

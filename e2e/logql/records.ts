/** Records for comparing LogQL: every kind of line that a construct of the language is made for, and lines it is not made for. */
export type Service = {
  readonly name: string;
  readonly resource: Readonly<Record<string, string>>;
  readonly records: readonly LogRecord[];
};
export type AttributeValue =
  | string
  | number
  | boolean
  | { readonly [key: string]: AttributeValue }
  | readonly AttributeValue[];
export type LogRecord = {
  /** Milliseconds from the beginning. */
  readonly atMs: number;
  readonly body: string;
  /** OpenTelemetry severity number and text. */
  readonly severity?: readonly [number, string];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly traceId?: string;
  readonly spanId?: string;
};

/** How long the records take: from the beginning on. */
export const RECORDS_MS = 600_000;

const METHODS = ["GET", "POST", "PUT", "DELETE"];
const STATUSES = [200, 201, 204, 301, 404, 500, 503];
const pick = <T>(items: readonly T[], i: number): T => items[i % items.length] as T;
const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

function every(stepMs: number, make: (i: number) => Omit<LogRecord, "atMs">, shiftMs = 0): LogRecord[] {
  const count = Math.floor(RECORDS_MS / stepMs);
  return Array.from({ length: count }, (_, i) => ({ atMs: i * stepMs + shiftMs + 1, ...make(i) }));
}

/** JSON with nested objects, lists, nulls, repeated and odd keys; every eleventh line is cut off, every seventeenth no JSON. */
function jsonLine(i: number): string {
  const line = JSON.stringify({
    level: pick(["info", "warn", "error", "debug"], i),
    msg: `request ${i} done`,
    method: pick(METHODS, i),
    status: pick(STATUSES, i),
    duration: pick(["12ms", "1.5s", "250us", "2m3s", "oops"], i),
    size: pick(["512B", "1.5KiB", "3 MB", "10", "big"], i),
    latency: i * 1.25,
    user: { id: `u-${i % 5}`, "full name": `Ann ${i % 3}`, tags: ["a", `t${i % 4}`], roles: { admin: i % 2 === 0 } },
    nothing: null,
    "key.with-odd chars": `odd ${i % 2}`,
    service_name: "from the line",
    ip: `10.0.${i % 4}.${i % 250}`,
  });
  if (i % 17 === 16) return `not json at all ${i}`;
  return i % 11 === 10 ? line.slice(0, 60 + (i % 40)) : line;
}

function logfmtLine(i: number): string {
  const path = pick(["/api/users", "/api/orders/42", "/health", "/login?next=%2Fhome&x=1"], i);
  const base = `level=${pick(["info", "warn", "error"], i)} method=${pick(METHODS, i)} path=${JSON.stringify(path)} status=${pick(STATUSES, i)}`;
  const rest = ` duration=${pick(["12ms", "1.5s", "850us", "2m"], i)} bytes=${i * 37} size=${pick(["1KB", "2MiB", "77"], i)} counter=${i % 40} empty= flag user-agent="Mozilla \\"5.0\\" x${i % 3}"`;
  if (i % 13 === 12) return `${base} broken="never closed ${i}`;
  return i % 19 === 18 ? `=${i} ${base} a"b=1 ${rest}` : base + rest;
}

function accessLine(i: number): string {
  const ip = i % 6 === 5 ? `2001:db8::${hex(i % 16, 1)}` : `192.168.${i % 3}.${i % 200}`;
  return `${ip} - user${i % 4} [01/Jan/2026:00:00:${String(i % 60).padStart(2, "0")} +0000] "${pick(METHODS, i)} /item/${i % 9} HTTP/1.1" ${pick(STATUSES, i)} ${i * 111} "-" "curl/8.${i % 4}"`;
}

const PLAIN = [
  "ERROR: could not connect to db-1: timeout after 30s",
  "Warning: disk usage at 91%",
  "\u001b[32mINFO\u001b[0m server started in \u001b[1m1.2s\u001b[0m",
  "panic: runtime error: index out of range [5] with length 3",
  "café ünïcode 日本語 😀 done",
  'tab\tand "quotes" and \\backslash\\',
  "   leading and trailing spaces   ",
  "multi line\n  at first (a.js:1)\n  at second (b.js:2)",
  "a=1 b=2 level=debug c",
  "x".repeat(300),
];

function packedLine(i: number): string {
  return i % 5 === 4
    ? `{"pod":"p-${i % 3}","n":1}`
    : JSON.stringify({ pod: `p-${i % 3}`, app: "packed", _entry: `inner level=info value=${i}`, n: 1 });
}

function service(name: string, environment: string, records: readonly LogRecord[]): Service {
  return {
    name,
    resource: {
      "service.name": name,
      "service.namespace": "shop",
      "deployment.environment": environment,
      "k8s.namespace.name": "prod",
      "host.name": `host-${name}`,
    },
    records,
  };
}

export const SERVICES: readonly Service[] = [
  service(
    "api-json",
    "prod",
    every(4_000, (i) => ({
      body: jsonLine(i),
      severity: pick<readonly [number, string]>(
        [
          [9, "INFO"],
          [13, "WARN"],
          [17, "ERROR"],
          [5, "DEBUG"],
        ],
        i,
      ),
      attributes: { "user.id": `u-${i % 5}`, "http.status_code": pick(STATUSES, i), ratio: i / 8, cached: i % 2 === 0 },
      traceId: hex(0xabc000 + i, 32),
      spanId: hex(0xdef000 + i, 16),
    })),
  ),
  service(
    "web-logfmt",
    "prod",
    every(3_000, (i) => ({ body: logfmtLine(i), attributes: { region: pick(["eu", "us"], i) } }), 17),
  ),
  service(
    "edge-access",
    "staging",
    every(
      5_000,
      (i) => ({
        body: accessLine(i),
        severity: [9, "INFO"],
        attributes: { http: { route: `/item/${i % 9}`, peer: { port: 8000 + (i % 3) } }, list: ["a", i % 2] },
      }),
      29,
    ),
  ),
  service(
    "plain",
    "dev",
    every(6_000, (i) => ({ body: pick(PLAIN, i) }), 41),
  ),
  service(
    "packer",
    "dev",
    every(9_000, (i) => ({ body: packedLine(i) }), 53),
  ),
  service(
    "counter",
    "prod",
    every(
      10_000,
      (i) => ({
        body: `total=${(i % 20) * 7} temp=${-3 + i / 4} none=NaN big=1e${i % 5} inf=${i % 7 === 6 ? "+Inf" : "1"}`,
        severity: [1, "TRACE"],
      }),
      3,
    ),
  ),
];

const attributeValue = (value: AttributeValue): unknown => {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(attributeValue) } };
  return { kvlistValue: { values: attributesOf(value as Readonly<Record<string, AttributeValue>>) } };
};

function attributesOf(attributes: Readonly<Record<string, AttributeValue>>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: attributeValue(value) }));
}

/** An OTLP request with all records, the first of them just after `startMs`. */
export function otlpRequest(startMs: number): string {
  const resourceLogs = SERVICES.map(({ name, resource, records }) => ({
    resource: { attributes: attributesOf(resource) },
    scopeLogs: [
      {
        scope: { name: `${name}-scope`, version: "1.2" },
        logRecords: records.map(({ atMs, body, severity, attributes = {}, traceId = "", spanId = "" }) => ({
          timeUnixNano: String(BigInt(startMs + atMs) * 1_000_000n),
          ...(severity && { severityNumber: severity[0], severityText: severity[1] }),
          body: { stringValue: body },
          attributes: attributesOf(attributes),
          traceId,
          spanId,
        })),
      },
    ],
  }));
  return JSON.stringify({ resourceLogs });
}

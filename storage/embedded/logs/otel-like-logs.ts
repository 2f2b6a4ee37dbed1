import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import { labelsFrom } from "@sightline/model/labels.ts";
import type { LogBatch, LogStream } from "@sightline/model/log-batch.ts";
import { randomHex, randomInts } from "../segments/random.ts";

const SERVICES = 20;
const PODS = 100;
const PODS_PER_BATCH = 10;
const USERS = 50_000;
const METHODS = ["GET", "POST", "PUT", "DELETE"];
const ROUTES = ["/api/v1/cart", "/api/v1/checkout", "/api/v1/products/{id}", "/api/v1/orders/{id}/status", "/healthz"];
const FUNCTIONS = ["OrderService.place", "CartStore.load", "PaymentGateway.charge", "SessionCache.get"];
const EVENTS = [
  "request completed",
  "cache miss, loading from database",
  "retrying upstream call",
  "session refreshed",
];
const AGENTS = ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "okhttp/4.12.0"];
const LEVELS = [
  { text: "DEBUG", number: 5 },
  { text: "INFO", number: 9 },
  { text: "WARN", number: 13 },
  { text: "ERROR", number: 17 },
] as const;
const ATTRIBUTES: readonly (readonly [name: string, type: AttributeType])[] = [
  ["http.request.method", "string"],
  ["http.route", "string"],
  ["http.response.status_code", "int"],
  ["user.id", "string"],
  ["request.id", "string"],
  ["client.address", "string"],
  ["code.function.name", "string"],
  ["duration_ms", "double"],
];
/** In about one of a thousand bodies. */
export const NEEDLE = "needle-7f3a9c";

/**
 * Batches for benchmarks: 20 services of 5 pods, bodies of three kinds with about 230 bytes, eight resource and eight
 * record attributes (request ids that never repeat, users, addresses), a third with trace and span ids.
 */
export function* otelLikeLogs(options: {
  readonly rows: number;
  readonly rowsPerBatch: number;
  readonly startNs: bigint;
  readonly stepNs: bigint;
}): Generator<LogBatch> {
  const random = randomInts(1);
  const streams = Array.from({ length: PODS }, (_, pod) => podStream(pod));
  const count = Math.floor(options.rows / options.rowsPerBatch);
  for (let batch = 0; batch < count; batch++) {
    yield makeBatch(random, streams, batch, options);
  }
}

function podStream(pod: number): LogStream {
  const service = `service-${pod % SERVICES}`;
  const resource = {
    "service.name": service,
    "service.namespace": `team-${service}`,
    "service.version": "2.7.0",
    "service.instance.id": `${service}-${pod}`,
    "k8s.pod.name": `${service}-${pod}`,
    "k8s.namespace.name": "shop",
    "k8s.node.name": `node-${pod % 12}`,
    "deployment.environment.name": "production",
  };
  return {
    labels: labelsFrom(Object.entries(resource).map(([name, value]) => [name.replaceAll(".", "_"), value] as const)),
    resource: Object.entries(resource).map(([name, value]) => ({ name, type: "string", value })),
    scope: NO_SCOPE,
  };
}

type Columns = { [K in keyof LogBatch]: LogBatch[K] extends readonly string[] ? string[] : LogBatch[K] };

function makeBatch(
  random: (below: number) => number,
  streams: readonly LogStream[],
  number: number,
  { rowsPerBatch: length, startNs, stepNs }: { rowsPerBatch: number; startNs: bigint; stepNs: bigint },
): LogBatch {
  const values = ATTRIBUTES.map(() => new Array<string>(length));
  const batch: Columns = {
    length,
    streams,
    streamRefs: new Uint32Array(length),
    timesNs: new BigInt64Array(length),
    observedNs: new BigInt64Array(length),
    severities: new Uint8Array(length),
    severityTexts: [],
    bodies: [],
    traceIds: [],
    spanIds: [],
    attributes: ATTRIBUTES.map(([name, type], i): AttributeColumn => ({ name, type, values: values[i] as string[] })),
  };
  for (let row = 0; row < length; row++) {
    const index = number * length + row;
    const timeNs = startNs + stepNs * BigInt(index);
    const level = LEVELS[Math.min(3, Math.floor(random(100) / 30))] as (typeof LEVELS)[number];
    const pick = (list: readonly string[]) => list[random(list.length)] as string;
    const [method, route, call, status] = [pick(METHODS), pick(ROUTES), pick(FUNCTIONS), `${200 + random(5) * 100}`];
    const [user, request] = [`u-${random(USERS)}`, randomHex(random, 16)];
    const address = `172.${16 + random(16)}.${random(256)}.${random(256)}`;
    const duration = `${random(200_000) / 100}`;
    const record = { method, route, status, user, request, address, call, duration };
    for (const [i, value] of Object.values(record).entries()) (values[i] as string[])[row] = value;
    batch.streamRefs[row] = ((number * PODS_PER_BATCH) % PODS) + (row % PODS_PER_BATCH);
    batch.timesNs[row] = timeNs;
    batch.observedNs[row] = timeNs + 1_000_000n;
    batch.severities[row] = level.number;
    batch.severityTexts.push(level.text);
    const event = pick(EVENTS) + (index % 1_009 === 504 ? ` ${NEEDLE}` : "");
    batch.bodies.push(bodyOf(random, index, { ...record, event, agent: pick(AGENTS), level: level.text, timeNs }));
    const traced = random(10) < 3;
    batch.traceIds.push(traced ? randomHex(randomInts(index % 50_000), 32) : "");
    batch.spanIds.push(traced ? randomHex(random, 16) : "");
  }
  return batch;
}

type BodyFields = Readonly<Record<"method" | "route" | "status" | "user" | "request" | "address", string>> &
  Readonly<Record<"duration" | "event" | "agent" | "level", string>> & { readonly timeNs: bigint };

function bodyOf(random: (below: number) => number, index: number, fields: BodyFields): string {
  const { method, route, status, user, request, address, duration, event, agent, level, timeNs } = fields;
  const millis = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, -1);
  const time = `${millis}${String(timeNs % 1_000_000n).padStart(6, "0")}Z`;
  const bytes = random(90_000);
  const kind = index % 20;
  if (kind < 8) {
    return `ts=${time} level=${level} caller=handler.go:${random(400)} msg="${event}" method=${method} route=${route} status=${status} duration_ms=${duration} user_id=${user} request_id=${request} bytes=${bytes} pool=${random(64)}/64`;
  }
  if (kind < 15) {
    return JSON.stringify({ time, level, msg: event, method, path: route, status, duration, user, request, bytes });
  }
  return `${address} - ${user} [${time}] "${method} ${route}?page=${random(40)}&sort=price HTTP/1.1" ${status} ${bytes} "https://shop.example.com/" "${agent}" "${event}"`;
}

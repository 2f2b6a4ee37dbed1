import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { uncompressSync } from "snappy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { grpcCall } from "./harness/grpc-call.ts";
import { type Answer, call } from "./harness/http-call.ts";
import { encodeGauges, encodeLogs, encodeSpans, GRPC_METHODS, SIGNALS } from "./harness/otlp.ts";
import { ProtobufWriter } from "./harness/protobuf-writer.ts";
import { encodeRemoteWrite2, REMOTE_WRITE_2, snappy } from "./harness/remote-write.ts";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

type Headers = Readonly<Record<string, string>>;
type Route = { readonly method: string; readonly path: string };
type Attempt = { readonly url: string; readonly method: string; readonly headers?: Headers; readonly body?: Buffer };

/** Stands in values that only the tenant shop has and that no request here says: whoever sees it sees shop's data. */
const SECRET = "kept-among-us";
/** What a stranger may guess: names, and the id of a trace. */
const SERVICE = "shop-checkout";
const TRACE_ID = "5b".repeat(16);
/** When shop's data were written: instant queries look back for five minutes. */
let nowMs = 0;
let nowNs = 0n;
const ALL_SCOPES = "ingest,read,reveal,write-rules,admin";

const dataDir = mkdtempSync(join(tmpdir(), "sightline-isolation-"));
const keys: Record<string, string> = {};
let server: ServerProcess;
let routes: readonly Route[];

const withKey = (name: string): Headers => ({ authorization: `Bearer ${keys[name]}` });

beforeAll(async () => {
  const grants: Record<string, readonly string[]> = {
    shop: ["--tenant", "shop", "--scope", ALL_SCOPES],
    "rival with all scopes": ["--tenant", "rival", "--scope", ALL_SCOPES],
    "rival that may read": ["--tenant", "rival", "--scope", "read"],
    "rival that may administrate": ["--tenant", "rival", "--scope", "admin"],
    "shop's writer": ["--tenant", "shop", "--scope", "ingest"],
    "shop's rule writer": ["--tenant", "shop", "--scope", "write-rules"],
    "revealer alone": ["--tenant", "shop", "--scope", "reveal"],
  };
  for (const [name, args] of Object.entries(grants)) {
    const { code, stdout, stderr } = await runCommandLine(["keys", "create", "--data-dir", dataDir, ...args]);
    expect({ name, code, stderr }).toMatchObject({ code: 0 });
    keys[name] = stdout.trim();
  }
  const env = { SIGHTLINE_AUTH__MODE: "keys", SIGHTLINE_LOG__LEVEL: "debug", SIGHTLINE_QUERY__ADMIN_API: "true" };
  server = await ServerProcess.start({ dataDir, env });
  routes = routesOf(server);
  nowMs = Date.now();
  nowNs = BigInt(nowMs) * 1_000_000n;
  await writeSecrets(withKey("shop"));
  await leaveTraces(withKey("shop"));
});
afterAll(async () => {
  await server.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Every route of the process, as it tells on its log. */
function routesOf({ stderr }: ServerProcess): Route[] {
  const lines = stderr.split("\n").filter((line) => line.includes('"msg":"routes"') && !line.includes("otlp_http"));
  return lines.flatMap((line) =>
    (JSON.parse(line) as { routes: string[] }).routes.map((text) => {
      const [method, path] = text.split(" ") as [string, string];
      return { method, path };
    }),
  );
}

/** The secret in every place that a signal has for text. */
async function writeSecrets(headers: Headers): Promise<void> {
  const attributes = { secret: SECRET };
  const spanId = Buffer.alloc(8, 1);
  const traceId = Buffer.from(TRACE_ID, "hex");
  const bodies = {
    metrics: encodeGauges(SERVICE, [{ name: "orders", points: [{ timeNs: nowNs, value: 1, attributes }] }]),
    logs: encodeLogs(SERVICE, [{ timeNs: nowNs, body: `${SECRET} body`, attributes, traceId, spanId }]),
    traces: encodeSpans(SERVICE, [
      { traceId, spanId, name: `${SECRET} span`, startNs: nowNs, endNs: nowNs + 1_000n, attributes },
    ]),
  };
  for (const signal of SIGNALS) {
    const type = { "content-type": "application/x-protobuf" };
    const options = { headers: { ...type, ...headers }, body: bodies[signal] };
    expect((await call(`${server.otlpHttp}/v1/${signal}`, options)).status).toBe(200);
  }
  const series = {
    labels: [
      ["__name__", "payments_total"],
      ["secret", SECRET],
    ],
    samples: [{ timeMs: nowMs, value: 7 }],
    exemplars: [{ labels: [["trace_id", `${SECRET} exemplar`]], value: 1, timeMs: nowMs }],
    metadata: { type: 1, help: `${SECRET} help`, unit: "s" },
  } as const;
  const options = { headers: { ...REMOTE_WRITE_2, ...headers }, body: snappy(encodeRemoteWrite2([series])) };
  expect((await call(`${server.url}/api/v1/write`, options)).status).toBe(204);
}

/** What a tenant leaves in lists beside its data: queries asked, deletions, records of both. */
async function leaveTraces(headers: Headers): Promise<void> {
  const query = encodeURIComponent(`payments_total{secret="${SECRET}"}`);
  expect((await call(`${server.url}/api/v1/query?query=${query}`, { headers })).status).toBe(200);
  const body = JSON.stringify({ signal: "logs", selector: `{service_name="nobody"} |= "${SECRET}"` });
  const options = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body };
  expect((await call(`${server.url}/api/v1/admin/deletions`, options)).status).toBe(200);
}

const parametersNow = () =>
  new URLSearchParams([
    ["query", 'payments_total or {__name__=~".+"}'],
    ["match[]", '{__name__=~".+"}'],
    ["match[]", "payments_total"],
    ["start", String(nowMs / 1_000 - 600)],
    ["end", String(nowMs / 1_000 + 60)],
    ["time", String(nowMs / 1_000 + 1)],
    ["step", "15"],
    ["service", SERVICE],
    ["signal", "logs"],
    ["id", "1"],
    ["request_id", "1"],
    ["tenant", "shop"],
    ["org_id", "shop"],
    ["signal", "logs"],
  ]).toString();
const lokiParametersNow = () =>
  `${parametersNow().replace(/query=[^&]*/, `query=${encodeURIComponent('{service_name=~".+"}')}`)}&name=secret`;

/** Bodies that the routes which want JSON understand, all of them about shop's data. */
const JSON_BODIES: readonly object[] = [
  { signal: "logs", query: `{service_name="${SERVICE}"}`, tenant: "shop" },
  { signal: "logs", selector: `{service_name="${SERVICE}"}` },
  { signal: "traces", attributes: { "service.name": SERVICE } },
  { attributes: { "service.name": SERVICE } },
  { signal: "metrics", query: "payments_total", match: ["payments_total"], tenant: "shop" },
  { attribute: "service.name", value: SERVICE, tenant: "shop" },
  { values: ["enc:1:AAAA"], tenant: "shop" },
];

function readRequest(): Buffer {
  const writer = new ProtobufWriter().message(1, (query) => {
    query.varint(1, nowMs - 600_000).varint(2, nowMs + 60_000);
    query.message(3, (matcher) => matcher.varint(1, 2).string(2, "__name__").string(3, ".+"));
  });
  return snappy(writer.finish());
}

/** All that is tried at one route. */
function attemptsAt({ method, path }: Route): Attempt[] {
  const names = path.includes(":id")
    ? [TRACE_ID]
    : path.includes(":service")
      ? [SERVICE]
      : ["secret", "__name__", "service_name"];
  const isLogql = path.startsWith("/loki") || path.startsWith("/api/v1/logs") || path === "/api/v1/attributes";
  const parameters = isLogql ? lokiParametersNow() : parametersNow();
  return names.slice(0, path.includes(":") ? undefined : 1).flatMap((name): Attempt[] => {
    const url = `${server.url}${path.replace(/:\w+/, encodeURIComponent(name)).replace("*", "x")}`;
    const withParameters = { url: `${url}?${parameters}`, method };
    if (method !== "POST" && method !== "PUT" && method !== "DELETE") return [withParameters];
    const json = { "content-type": "application/json" };
    const form = { "content-type": "application/x-www-form-urlencoded" };
    const read = { "content-type": "application/x-protobuf", "content-encoding": "snappy" };
    return [
      { url, method, headers: form, body: Buffer.from(parameters) },
      ...JSON_BODIES.map((body) => ({ url, method, headers: json, body: Buffer.from(JSON.stringify(body)) })),
      ...(path.endsWith("/read") ? [{ url, method, headers: read, body: readRequest() }] : []),
    ];
  });
}

function sees({ body }: Answer): boolean {
  if (body.includes(SECRET)) return true;
  try {
    return uncompressSync(body, { asBuffer: true }).includes(SECRET);
  } catch {
    return false;
  }
}

async function ask({ url, method, headers, body }: Attempt, extra: Headers): Promise<Answer> {
  return call(url, { method, headers: { ...headers, ...extra }, ...(body && { body }) });
}

/** Routes that do more than say that the method is wrong. */
async function liveRoutes(): Promise<Route[]> {
  const live: Route[] = [];
  for (const route of routes) {
    if (route.method === "OPTIONS" || route.method === "HEAD") continue;
    const { status } = await call(`${server.url}${route.path.replace(/:\w+/g, "x")}`, {
      method: route.method,
      headers: withKey("rival that may read"),
    });
    if (status !== 405) live.push(route);
  }
  return live;
}

/** What of shop's a stranger could have changed. */
async function shopsData(): Promise<object> {
  const see = new Ask(server.url, "shop", withKey("shop"));
  const lines = await see.logs('{service_name=~".+"}', nowNs - 600_000_000_000n, nowNs + 60_000_000_000n);
  return {
    series: (await see.promql('{__name__=~"orders|payments_total"}', nowMs + 1)).map(({ metric, value }) => [
      metric,
      value,
    ]),
    lines: lines.map(({ line }) => line),
    spans: (await see.trace(TRACE_ID))?.spans.map(({ operationName }) => operationName),
    services: await see.services(),
  };
}

const CLAIMS: readonly Headers[] = [
  {},
  { "x-scope-orgid": "shop" },
  { "x-project-id": "shop" },
  { "x-scope-orgid": "rival", "x-project-id": "shop" },
  { "x-scope-orgid": "rival|shop" },
  { "x-scope-orgid": "*" },
];
const STRANGERS = [
  "rival with all scopes",
  "rival that may read",
  "rival that may administrate",
  "shop's writer",
  "shop's rule writer",
  "revealer alone",
];

test("shop itself sees its data at many routes: what is searched for can be found", async () => {
  const seen: string[] = [];
  for (const route of (await liveRoutes()).filter(({ path }) => !path.includes("/admin/"))) {
    for (const attempt of attemptsAt(route)) {
      if (sees(await ask(attempt, withKey("shop")))) seen.push(`${route.method} ${route.path}`);
    }
  }
  for (const route of [
    "GET /api/v1/query",
    "GET /api/v1/series",
    "GET /api/v1/metadata",
    "GET /api/v1/query_exemplars",
    "GET /api/v1/label/:name/values",
    "GET /api/v1/status/top_queries",
    "POST /api/v1/read",
    "GET /federate",
    "GET /loki/api/v1/query_range",
    "GET /api/v1/attributes",
    "GET /api/v1/logs/facets",
    "GET /tempo/api/v2/traces/:id",
    "GET /jaeger/api/traces/:id",
  ]) {
    expect(seen).toContain(route);
  }
});

test.each(STRANGERS)(
  "%s sees nothing of it at any route, whoever it claims to be, and changes nothing",
  async (name) => {
    const before = await shopsData();
    const seen: string[] = [];
    let asked = 0;
    for (const route of await liveRoutes()) {
      for (const attempt of attemptsAt(route)) {
        for (const claim of CLAIMS) {
          const answer = await ask(attempt, { ...withKey(name), ...claim });
          asked++;
          if (sees(answer)) seen.push(`${route.method} ${attempt.url} as ${JSON.stringify(claim)}: ${answer.status}`);
          expect({ ...route, claim, status: answer.status }).not.toMatchObject({ status: 500 });
        }
      }
    }
    expect(seen).toEqual([]);
    expect(asked).toBeGreaterThan(300);
    expect(await shopsData()).toEqual(before);
  },
);

test.each(STRANGERS)("%s gets nothing of it over gRPC, and writes nothing there", async (name) => {
  const before = await shopsData();
  const isOwn = name === "shop's writer";
  for (const signal of SIGNALS) {
    for (const claim of CLAIMS) {
      const headers = { ...withKey(name), ...claim };
      const { code, message, body } = await grpcCall(server.otlpGrpc, GRPC_METHODS[signal], Buffer.alloc(0), {
        headers,
      });
      expect(`${message}${body.toString("latin1")}`).not.toContain(SECRET);
      // To administrate a tenant is to be allowed everything in it.
      const mayWrite = isOwn || name === "rival with all scopes" || name === "rival that may administrate";
      const claims = Object.values(claim);
      const ownTenant = isOwn ? "shop" : "rival";
      const want = mayWrite && claims.every((tenant) => tenant === ownTenant) ? [0] : [3, 7];
      expect({ signal, claim, code, want }).toMatchObject({ want: expect.arrayContaining([code]) });
    }
  }
  expect(await shopsData()).toEqual(before);
});

test("the process' own metrics, which name tenants, are not for strangers", async () => {
  for (const name of STRANGERS) {
    const { status, text } = await call(`${server.url}/metrics`, { headers: withKey(name) });
    expect({ name, status }).toEqual({ name, status: 403 });
    expect(text).not.toContain('tenant="');
  }
});

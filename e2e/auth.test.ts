import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { grpcCall } from "./harness/grpc-call.ts";
import { type Answer, call } from "./harness/http-call.ts";
import { encodeGauges, encodeLogs, encodeSpans, GRPC_METHODS } from "./harness/otlp.ts";
import { encodeRemoteWrite1, REMOTE_WRITE_1, snappy } from "./harness/remote-write.ts";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

type Headers = Readonly<Record<string, string>>;

const dataDir = mkdtempSync(join(tmpdir(), "sightline-auth-"));
const tokens: Record<string, string> = {};
let server: ServerProcess;

async function createKey(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommandLine(["keys", "create", "--data-dir", dataDir, ...args]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout.trim();
}
const idOf = (token: string) => token.split("_")[1] as string;
const withKey = (name: string): Headers => ({ authorization: `Bearer ${tokens[name]}` });

beforeAll(async () => {
  const grants: Record<string, readonly string[]> = {
    shop: ["--tenant", "shop", "--scope", "ingest,read"],
    rival: ["--tenant", "rival", "--scope", "ingest,read"],
    writer: ["--tenant", "shop", "--scope", "ingest"],
    reader: ["--tenant", "shop", "--scope", "read", "--name", "Grafana", "--expires", "90d"],
    admin: ["--tenant", "*", "--scope", "admin"],
    operator: ["--tenant", "system", "--scope", "read"],
    expired: ["--tenant", "*", "--scope", "admin", "--expires", "1ms"],
    revoked: ["--tenant", "*", "--scope", "admin"],
  };
  for (const [name, args] of Object.entries(grants)) tokens[name] = await createKey(...args);
  const revoked = await runCommandLine(["keys", "revoke", idOf(tokens.revoked as string), "--data-dir", dataDir]);
  expect(revoked.code).toBe(0);
  // The right id with another secret, and one that nobody ever made.
  tokens.forged = `sl_${idOf(tokens.shop as string)}_${"A".repeat(43)}`;
  tokens.invented = `sl_0123456789ab_${"A".repeat(43)}`;
  server = await ServerProcess.start({
    dataDir,
    env: {
      SIGHTLINE_AUTH__MODE: "keys",
      SIGHTLINE_AUTH__MAX_FAILURES_PER_MINUTE: "100000",
      SIGHTLINE_LOG__LEVEL: "debug",
    },
  });
});
afterAll(async () => {
  await server.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Stands where a route takes any path. */
const ANY_PATH = "no-route-of-its-own";

type Route = { readonly method: string; readonly url: string };

/** Every route of the process, as it tells on its log; parameters of paths are filled in. */
function routes(): Route[] {
  const lines = server.stderr.split("\n").filter((line) => line.includes('"msg":"routes"'));
  return lines.flatMap((line) => {
    const { listener, routes: named } = JSON.parse(line) as { listener: string; routes: string[] };
    const base = listener.includes("otlp_http") ? server.otlpHttp : server.url;
    return named.map((text) => {
      const [method, path] = text.split(" ") as [string, string];
      return { method, url: base + path.replace(/:\w+/g, "1").replace("*", ANY_PATH) };
    });
  });
}

const OPEN = new Set(["/", "/-/healthy", "/-/ready", "/ready", "/alertmanager/-/healthy", "/alertmanager/-/ready"]);

async function ask({ method, url }: Route, headers: Headers): Promise<Answer> {
  return call(url, { method, headers, ...(method === "GET" || method === "HEAD" ? {} : { body: "" }) });
}

/** All but those that are open and those that are there only to say that the method is wrong. */
async function guardedRoutes(): Promise<Route[]> {
  const guarded: Route[] = [];
  for (const route of routes()) {
    if (OPEN.has(new URL(route.url).pathname)) continue;
    const { status } = await ask(route, withKey("admin"));
    expect({ route, status }).not.toMatchObject({ status: 401 });
    // What is under a prefix and no route is told so, in that API's words, to whoever asks.
    if (status === 404 && route.url.endsWith(`/${ANY_PATH}`)) continue;
    // A browser asks by OPTIONS, without a key, whether a page may ask; the answer says nothing.
    if (status !== 405 && !(route.method === "OPTIONS" && status === 204)) guarded.push(route);
  }
  return guarded;
}

describe("every route of the process", () => {
  let guarded: Route[];
  beforeAll(async () => {
    guarded = await guardedRoutes();
  });

  test("is among those that are tried here", () => {
    const paths = guarded.map(({ method, url }) => `${method} ${new URL(url).pathname}`);
    for (const path of ["POST /v1/metrics", "POST /api/v1/write", "GET /api/v1/query", "GET /jaeger/api/services"]) {
      expect(paths).toContain(path);
    }
    expect(paths.length).toBeGreaterThan(40);
  });

  test.each([
    ["no key", () => ({})],
    ["an empty credential", () => ({ authorization: "Bearer " })],
    ["a password that is no key", () => ({ authorization: `Basic ${Buffer.from("admin:admin").toString("base64")}` })],
    ["the tenant's name alone", () => ({ "x-scope-orgid": "shop" })],
    ["an invented key", () => withKey("invented")],
    ["the right id with another secret", () => withKey("forged")],
    ["an expired key", () => withKey("expired")],
    ["a revoked key", () => withKey("revoked")],
  ] as [string, () => Headers][])("turns away %s with 401 and a challenge", async (_, headers) => {
    for (const route of guarded) {
      const { status, headers: answered } = await ask(route, headers());
      expect({ ...route, status }).toEqual({ ...route, status: 401 });
      expect(answered["www-authenticate"]).toMatch(/^Bearer realm=/);
    }
  });

  test("takes a key with the scope to write, or one with the scope to read, never both, and else an administrator's", async () => {
    for (const route of guarded) {
      if (route.url.endsWith("/metrics") && route.method !== "POST") continue;
      const statuses = await Promise.all(
        ["writer", "reader"].map(async (key) => (await ask(route, withKey(key))).status),
      );
      const refused = statuses.filter((status) => status === 403).length;
      const administrator = refused === 2 ? (await ask(route, withKey("admin"))).status : undefined;
      expect({ ...route, statuses, refused }).toMatchObject({ refused: administrator === undefined ? 1 : 2 });
      expect({ ...route, administrator }).not.toMatchObject({ administrator: 403 });
    }
  });

  test.each(["x-scope-orgid", "x-project-id"])("refuses a key of another tenant than %s with 403", async (header) => {
    for (const route of guarded) {
      if (route.url.endsWith("/metrics") && route.method !== "POST") continue;
      const { status } = await ask(route, { ...withKey("shop"), [header]: "rival" });
      expect({ ...route, status }).toEqual({ ...route, status: 403 });
    }
  });

  test("but for health and readiness, which are open", async () => {
    for (const path of OPEN) expect(await call(server.url + path)).toMatchObject({ status: 200 });
  });
});

test.each([
  ["nobody", {}, 401],
  ["a tenant", () => withKey("shop"), 403],
  ["who may read the tenant system", () => withKey("operator"), 200],
  ["an administrator of all tenants", () => withKey("admin"), 200],
] as [string, Headers | (() => Headers), number][])("/metrics for %s", async (_, headers, want) => {
  const answer = await call(`${server.url}/metrics`, { headers: typeof headers === "function" ? headers() : headers });
  expect(answer.status).toBe(want);
});

describe("every gRPC method", () => {
  test.each(Object.entries(GRPC_METHODS))("of %s asks for a key that may write", async (_, method) => {
    const attempt = async (headers: Headers) =>
      (await grpcCall(server.otlpGrpc, method, Buffer.alloc(0), { headers })).code;
    expect(await attempt({})).toBe(16);
    for (const name of ["invented", "forged", "expired", "revoked"]) expect(await attempt(withKey(name))).toBe(16);
    expect(await attempt(withKey("reader"))).toBe(7);
    expect(await attempt({ ...withKey("shop"), "x-scope-orgid": "rival" })).toBe(7);
    for (const name of ["shop", "writer", "admin"]) expect(await attempt(withKey(name))).toBe(0);
    expect(await attempt({ "x-api-key": tokens.shop as string })).toBe(0);
  });
});

test.each([
  ["bearer", (token: string) => ({ authorization: `Bearer ${token}` })],
  ["X-API-Key", (token: string) => ({ "x-api-key": token })],
  ["basic auth", (token: string) => ({ authorization: `Basic ${Buffer.from(`shop:${token}`).toString("base64")}` })],
] as [string, (token: string) => Headers][])("a key is taken as %s", async (_, present) => {
  const headers = { ...present(tokens.shop as string), "content-type": "application/json" };
  expect(await call(`${server.url}/api/v1/query?query=1`, { headers })).toMatchObject({ status: 200 });
  expect(await call(`${server.otlpHttp}/v1/logs`, { headers, body: "{}" })).toMatchObject({ status: 200 });
});

test.each([
  ["/api/v1/query?query=up", undefined, { status: "error", errorType: "unauthorized" }],
  ["/jaeger/api/services", undefined, { data: null, errors: [{ code: 401 }] }],
  ["/v1/logs", "{}", { code: 16 }],
] as const)("%s says so in the words of its protocol", async (path, body, want) => {
  const headers = { "content-type": "application/json" };
  const answer = await call(server.url + path, { headers, ...(body === undefined ? {} : { body }) });
  expect(JSON.parse(answer.text)).toMatchObject(want);
  expect(answer.text).toContain("API key");
});

test("Loki's API says so in plain text", async () => {
  const { headers, text } = await call(`${server.url}/loki/api/v1/labels`);
  expect(headers["content-type"]).toContain("text/plain");
  expect(text).toMatch(/^an API key is needed/);
});

describe("tenants behind their keys", () => {
  // Instant queries look back for five minutes.
  let nowNs = 0n;
  beforeAll(() => {
    nowNs = BigInt(Date.now()) * 1_000_000n;
  });
  const traceId = Buffer.alloc(16, 9);

  /** Every signal over HTTP, then over gRPC; the statuses. */
  async function writeAll(headers: Headers, mark: string): Promise<number[]> {
    const span = { traceId, spanId: Buffer.alloc(8, 1), name: mark, startNs: nowNs, endNs: nowNs + 1n };
    const gauge = { name: "secret", points: [{ timeNs: nowNs, value: 1, attributes: { mark } }] };
    const bodies = {
      metrics: encodeGauges(mark, [gauge]),
      logs: encodeLogs(mark, [{ timeNs: nowNs, body: mark }]),
      traces: encodeSpans(mark, [span]),
    };
    const labels = [["__name__", "written"], ["mark", mark]] as const; // biome-ignore format: a pair a line is too much
    const series = [{ labels, samples: [{ timeMs: Date.now(), value: 1 }] }];
    const type = { "content-type": "application/x-protobuf" };
    const statuses: number[] = [];
    for (const [signal, body] of Object.entries(bodies)) {
      statuses.push((await call(`${server.otlpHttp}/v1/${signal}`, { headers: { ...type, ...headers }, body })).status);
      const grpc = await grpcCall(server.otlpGrpc, GRPC_METHODS[signal as "logs"], body, { headers });
      statuses.push(grpc.code === 0 ? 200 : grpc.code === 7 ? 403 : -1);
    }
    const body = snappy(encodeRemoteWrite1(series));
    const written = await call(`${server.url}/api/v1/write`, { headers: { ...REMOTE_WRITE_1, ...headers }, body });
    statuses.push(written.status === 204 ? 200 : written.status);
    return statuses;
  }

  test("another tenant's key sees nothing and writes nothing", async () => {
    expect(await writeAll(withKey("shop"), "ours")).toEqual(Array(7).fill(200));
    expect(await writeAll({ ...withKey("rival"), "x-scope-orgid": "shop" }, "forged")).toEqual(Array(7).fill(403));
    expect(await writeAll(withKey("rival"), "theirs")).toEqual(Array(7).fill(200));
    for (const [tenant, mark] of [
      ["shop", "ours"],
      ["rival", "theirs"],
    ] as const) {
      const see = new Ask(server.url, tenant, withKey(tenant));
      expect(await see.labelValues("mark")).toEqual([mark]);
      expect(await see.promql('{__name__=~"secret|written"}')).toHaveLength(2);
      const lines = await see.logs('{service_name=~".+"}', nowNs - 10n ** 9n, nowNs + 10n ** 9n);
      expect(new Set(lines.map(({ line }) => line))).toEqual(new Set([mark]));
      expect(await see.services()).toEqual([mark]);
      const spans = (await see.trace(traceId.toString("hex")))?.spans ?? [];
      expect(new Set(spans.map(({ operationName }) => operationName))).toEqual(new Set([mark]));
    }
  });

  test("an administrator of all tenants sees the one that is named", async () => {
    expect(await new Ask(server.url, "shop", withKey("admin")).labelValues("mark")).toEqual(["ours"]);
    expect(await new Ask(server.url, "rival", withKey("admin")).labelValues("mark")).toEqual(["theirs"]);
  });
});

test("keys made and revoked while the server runs count soon", async () => {
  const token = await createKey("--tenant", "shop", "--scope", "read", "--name", "late");
  const status = async () =>
    (await call(`${server.url}/api/v1/query?query=1`, { headers: { "x-api-key": token } })).status;
  await eventually(async () => expect(await status()).toBe(200), 1_000);
  expect((await runCommandLine(["keys", "revoke", idOf(token), "--data-dir", dataDir])).code).toBe(0);
  await eventually(async () => expect(await status()).toBe(401), 1_000);
});

test("no key stands in the log or in a file, and the list says when each was used", async () => {
  await server.stop();
  const secrets = Object.values(tokens).map((token) => token.slice(16));
  expect(server.stderr).toContain("API keys have changed");
  const texts = [server.stderr, server.stdout];
  for (const entry of readdirSync(dataDir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) texts.push(readFileSync(join(entry.parentPath, entry.name), "latin1"));
  }
  for (const text of texts) for (const secret of secrets) expect(text.includes(secret)).toBe(false);

  const { stdout } = await runCommandLine(["keys", "list", "--data-dir", dataDir]);
  const rowOf = (name: string) => stdout.split("\n").find((line) => line.startsWith(idOf(tokens[name] as string)));
  expect(rowOf("reader")).toMatch(/shop +read +good +\S+ +\S+ +\d{4}-\d\d-\d\d\S+ +Grafana/);
  expect(rowOf("revoked")).toMatch(/\* +admin +revoked/);
  expect(rowOf("expired")).toMatch(/\* +admin +expired/);
  for (const secret of secrets) expect(stdout).not.toContain(secret);
});

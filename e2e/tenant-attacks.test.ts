import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { encodeLogs } from "./harness/otlp.ts";
import { patientMs } from "./harness/patience.ts";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

type Headers = Readonly<Record<string, string>>;

/** In every line of shop's, and in no request: whoever sees it sees shop's data. */
const SECRET = "kept-among-us";
const SELECTOR = '{service_name=~".+"}';
const NOW_NS = BigInt(Date.now()) * 1_000_000n;

const dataDir = mkdtempSync(join(tmpdir(), "sightline-attacks-"));
const keys: Record<string, string> = {};
let server: ServerProcess;

beforeAll(async () => {
  const grants = {
    shop: ["--tenant", "shop", "--scope", "ingest,read,admin"],
    rival: ["--tenant", "rival", "--scope", "ingest,read,admin"],
    revoked: ["--tenant", "shop", "--scope", "read"],
    "short-lived": ["--tenant", "shop", "--scope", "read"],
  };
  for (const [name, args] of Object.entries(grants)) {
    keys[name] = (await runCommandLine(["keys", "create", "--data-dir", dataDir, ...args])).stdout.trim();
  }
  await runCommandLine(["keys", "revoke", idOf("revoked"), "--data-dir", dataDir]);
  const env = {
    SIGHTLINE_AUTH__MODE: "keys",
    SIGHTLINE_AUTH__MAX_FAILURES_PER_MINUTE: "100000",
    SIGHTLINE_QUERY__ADMIN_API: "true",
  };
  server = await ServerProcess.start({ dataDir, env });
  await write("shop", `${SECRET} 1`);
});
afterAll(async () => {
  await server.dispose();
  rmSync(dataDir, { recursive: true, force: true });
});

const keyOf = (name: string) => keys[name] as string;
/** `sl_` and twelve characters. */
const idOf = (name: string) => keyOf(name).slice(3, 15);
const bearer = (name: string): Headers => ({ authorization: `Bearer ${keyOf(name)}` });
const basic = (user: string, password: string): Headers => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

async function write(tenant: string, body: string): Promise<void> {
  const headers = { "content-type": "application/x-protobuf", ...bearer(tenant) };
  const timeNs = BigInt(Date.now()) * 1_000_000n;
  const options = { headers, body: encodeLogs("checkout", [{ timeNs, body, attributes: {} }]) };
  expect((await call(`${server.otlpHttp}/v1/logs`, options)).status).toBe(200);
}

const RANGE = new URLSearchParams({ query: SELECTOR, start: `${NOW_NS - 3_600_000_000_000n}` }).toString();
const LINES = `/loki/api/v1/query_range?${RANGE}`;

/** One request exactly as written; resolves with all that is answered until the server closes or has said it all. */
function raw(request: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(request));
    socket.setTimeout(patientMs(10_000), () => socket.destroy());
    socket.on("data", (chunk) => {
      received += chunk.toString();
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve(received));
  });
}
const rawGet = (target: string, headers = "") =>
  raw(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`);
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

test("shop's key opens what is tried here", async () => {
  const answer = await rawGet(LINES, `Authorization: Bearer ${keyOf("shop")}\r\n`);
  expect(answer).toContain(SECRET);
});

describe("however a path is written", () => {
  const paths = (base: string): string[] => [
    base,
    `/${base}`,
    `/.${base}`,
    `/x/..${base}`,
    `/-/ready/../..${base}`,
    `/-/ready/%2e%2e/%2e%2e${base}`,
    `/-/ready%2f..%2f..${base}`,
    `/-/ready;${base}`,
    `/-/ready?${base}`,
    `/-/ready#${base}`,
    `/-/ready\\..\\..${base}`,
    base.replace("/loki", "/%6coki"),
    base.replace("/loki", "/LOKI"),
    base.replace("query_range", "query_range/"),
    base.replace("query_range", "query_range//"),
    base.replace("query_range", "query_range;jsessionid=1"),
    base.replace("query_range", "query_range%00"),
    base.replace("query_range", "query_range%20"),
    base.replace("query_range", "query%5frange"),
    `http://localhost${base}`,
    `http://user:password@localhost${base}`,
    `${base}&X-Scope-OrgID=shop&tenant=shop&org_id=shop&__tenant_id__=shop`,
  ];

  test("nobody gets in without a key", async () => {
    for (const path of paths(LINES)) {
      const answer = await rawGet(path, "X-Scope-OrgID: shop\r\n");
      expect({ path, isOpen: answer.includes(SECRET) }).toEqual({ path, isOpen: false });
      expect(statusOf(answer), path).not.toBe(500);
    }
  });

  test("the key of a rival opens nothing of shop's", async () => {
    for (const path of paths(LINES)) {
      const answer = await rawGet(path, `Authorization: Bearer ${keyOf("rival")}\r\n`);
      expect({ path, isOpen: answer.includes(SECRET) }).toEqual({ path, isOpen: false });
    }
  });

  test.each([
    "X-HTTP-Method-Override: OPTIONS",
    "X-Original-URL: /-/ready",
    "X-Rewrite-URL: /-/ready",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-User: shop",
    "X-WEBAUTH-USER: shop",
    "Origin: http://localhost",
    "Access-Control-Request-Method: GET",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
    "Content-Length: 0",
  ])("and whatever a proxy might have said (%s)", async (header) => {
    const answer = await rawGet(LINES, `${header}\r\nX-Scope-OrgID: shop\r\n`);
    expect(statusOf(answer)).toBe(401);
    expect(answer).not.toContain(SECRET);
  });
});

describe("credentials", () => {
  test.each<[string, () => string]>([
    ["none", () => ""],
    ["in the query", () => `X-Nothing: ${keyOf("shop")}\r\n`],
    ["in a cookie", () => `Cookie: api_key=${keyOf("shop")}; authorization=Bearer ${keyOf("shop")}\r\n`],
    ["revoked", () => `Authorization: Bearer ${keyOf("revoked")}\r\n`],
    ["one character short", () => `Authorization: Bearer ${keyOf("shop").slice(0, -1)}\r\n`],
    ["one character long", () => `Authorization: Bearer ${keyOf("shop")}A\r\n`],
    ["another secret", () => `Authorization: Bearer ${keyOf("shop").slice(0, 16)}${"A".repeat(43)}\r\n`],
    ["rival's secret", () => `Authorization: Bearer ${keyOf("shop").slice(0, 16)}${keyOf("rival").slice(16)}\r\n`],
    ["lower case", () => `Authorization: Bearer ${keyOf("shop").toLowerCase()}\r\n`],
    ["the id alone", () => `Authorization: Bearer sl_${idOf("shop")}\r\n`],
    ["of a scheme that nobody knows", () => `Authorization: Digest ${keyOf("shop")}\r\n`],
    ["as the user's name", () => rawBasic(keyOf("shop"), "")],
    ["as the user's name, with a tenant as password", () => rawBasic(keyOf("shop"), "shop")],
    ["a tenant as the user's name", () => rawBasic("shop", "shop")],
    ["folded over lines", () => `Authorization: Bearer\r\n ${keyOf("shop")}\r\n`],
  ])("%s let nobody in", async (_, header) => {
    const inQuery = `${LINES}&api_key=${keyOf("shop")}&access_token=${keyOf("shop")}&token=${keyOf("shop")}`;
    const answer = await rawGet(inQuery, `${header()}X-Scope-OrgID: shop\r\n`);
    expect([400, 401]).toContain(statusOf(answer));
    expect(answer).not.toContain(SECRET);
  });
  const rawBasic = (user: string, password: string) => `Authorization: ${basic(user, password).authorization}\r\n`;

  test.each<[string, () => Headers]>([
    ["the tenant as the user of basic authentication", () => basic("shop", keyOf("rival"))],
    ["shop's id as the user", () => basic(keyOf("shop").slice(0, 15), keyOf("rival"))],
    ["a key of shop's that was revoked as a second one", () => ({ ...bearer("rival"), "x-api-key": keyOf("revoked") })],
    ["tenants in two headers", () => ({ ...bearer("rival"), "x-scope-orgid": "rival", "x-project-id": "shop" })],
    ["tenants in one header", () => ({ ...bearer("rival"), "x-scope-orgid": "rival, shop" })],
    ["tenants as Loki joins them", () => ({ ...bearer("rival"), "x-scope-orgid": "rival|shop" })],
    ["a tenant that is a path", () => ({ ...bearer("rival"), "x-scope-orgid": "../shop" })],
    ["a tenant in other letters", () => ({ ...bearer("rival"), "x-scope-orgid": "SHOP" })],
    ["a tenant with a space", () => ({ ...bearer("rival"), "x-scope-orgid": " shop" })],
    ["all tenants", () => ({ ...bearer("rival"), "x-scope-orgid": "*" })],
    ["the system's tenant", () => ({ ...bearer("rival"), "x-scope-orgid": "system" })],
  ])("of a rival with %s show nothing of shop's", async (_, headers) => {
    const answer = await call(`${server.url}${LINES}`, { headers: headers() });
    expect(answer.text).not.toContain(SECRET);
    expect([200, 400, 403]).toContain(answer.status);
    if (answer.status === 200) expect(JSON.parse(answer.text)).toMatchObject({ data: { result: [] } });
  });

  test("twice in a request, the first one counts, in whatever order", async () => {
    const [shop, rival] = ["shop", "rival"].map((name) => `Authorization: Bearer ${keyOf(name)}\r\n`);
    expect(await rawGet(LINES, `${rival}${shop}`)).not.toContain(SECRET);
    expect(await rawGet(LINES, `${rival}X-API-Key: ${keyOf("shop")}\r\n`)).not.toContain(SECRET);
    expect(statusOf(await rawGet(LINES, `${shop}X-Scope-OrgID: shop\r\nX-Scope-OrgID: rival\r\n`))).toBe(400);
  });

  test("are told apart from what a request smuggles behind another", async () => {
    const inner = `GET ${LINES} HTTP/1.1\r\nHost: localhost\r\nX-Scope-OrgID: shop\r\n\r\n`;
    const head = `POST /loki/api/v1/query_range HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${keyOf("shop")}\r\n`;
    const form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (const framing of [
      `Content-Length: 0\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n${inner}`,
      `Transfer-Encoding: identity\r\nContent-Length: 0\r\nConnection: close\r\n\r\n${inner}`,
      `Transfer-Encoding: chunked, identity\r\nConnection: close\r\n\r\n0\r\n\r\n${inner}`,
      `Content-Length: +0\r\nConnection: close\r\n\r\n${inner}`,
    ]) {
      expect(await raw(`${head}${form}${framing}`)).not.toContain(SECRET);
    }
  });
});

describe("a tail", () => {
  const tailUrl = () => `${server.url.replace("http", "ws")}/loki/api/v1/tail?${RANGE}`;
  async function tail(headers: Headers) {
    const socket = new WebSocket(tailUrl(), { headers } as unknown as string[]);
    let [text, isClosed] = ["", false];
    socket.addEventListener("message", ({ data }) => {
      text += String(data);
    });
    socket.addEventListener("close", () => {
      isClosed = true;
    });
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.addEventListener("open", () => resolve(true));
      socket.addEventListener("error", () => resolve(false));
    });
    return { socket, isOpen, text: () => text, isClosed: () => isClosed };
  }

  test.each<[string, () => Headers]>([
    ["without a key", () => ({ "x-scope-orgid": "shop" })],
    ["with a revoked key", () => bearer("revoked")],
    ["with a rival's key that claims to be shop", () => ({ ...bearer("rival"), "x-scope-orgid": "shop" })],
  ])("%s does not begin", async (_, headers) => {
    expect(await tail(headers())).toMatchObject({ isOpen: false });
  });

  test("of a rival shows nothing that shop had or gets; shop's does", async () => {
    const [theirs, ours] = [await tail(bearer("rival")), await tail(bearer("shop"))];
    await eventually(async () => expect(ours.text()).toContain(SECRET));
    await write("shop", `${SECRET} while tailed`);
    await write("rival", "of the rival");
    await eventually(async () => expect(ours.text()).toContain("while tailed"));
    await eventually(async () => expect(theirs.text()).toContain("of the rival"));
    expect(theirs.text()).not.toContain(SECRET);
    expect(ours.text()).not.toContain("of the rival");
    theirs.socket.close();
    ours.socket.close();
  });

  test("ends when its key is revoked", async () => {
    const late = await tail(bearer("short-lived"));
    expect(late.isOpen).toBe(true);
    await runCommandLine(["keys", "revoke", idOf("short-lived"), "--data-dir", dataDir]);
    await eventually(async () => expect(late.isClosed()).toBe(true), 20_000);
  });
});

test("what was kept of one tenant's results answers no other one, in whatever order they ask", async () => {
  const query = "sum(count_over_time({__name__=~'.+'}[5m])) or vector(0)";
  const end = Math.floor(Date.now() / 60_000) * 60 - 600;
  const parameters = new URLSearchParams({ query, start: `${end - 3_600}`, end: `${end}`, step: "60" });
  const ask = async (name: string) =>
    (await call(`${server.url}/api/v1/query_range?${parameters}`, { headers: bearer(name) })).text;
  const body = JSON.stringify({
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: "g", gauge: { dataPoints: [{ timeUnixNano: `${(end - 60) * 1_000}000000`, asDouble: 1 }] } },
            ],
          },
        ],
      },
    ],
  });
  const headers = { "content-type": "application/json", ...bearer("shop") };
  expect((await call(`${server.otlpHttp}/v1/metrics`, { headers, body })).status).toBe(200);
  const valuesOf = (text: string) =>
    (JSON.parse(text) as { data: { result: { values: [number, string][] }[] } }).data.result[0]?.values.map(
      ([, value]) => value,
    );
  for (let turn = 0; turn < 3; turn++) {
    expect(new Set(valuesOf(await ask("rival")))).toEqual(new Set(["0"]));
    expect(valuesOf(await ask("shop"))).toContain("1");
  }
});

describe("an administrator of one tenant", () => {
  const json = { "content-type": "application/json" };
  const admin = (method: string, path: string, name: string, body?: object) =>
    call(`${server.url}${path}`, {
      method,
      headers: { ...json, ...bearer(name) },
      ...(body && { body: JSON.stringify(body) }),
    });

  test("neither sees nor cancels the deletions of another one", async () => {
    const selector = '{service_name="nobody"} |= "x"';
    const made = await admin("POST", "/api/v1/admin/deletions", "shop", { signal: "logs", selector });
    expect(made.status, made.text).toBeLessThan(300);
    const list = async (name: string) => (await admin("GET", "/api/v1/admin/deletions", name)).text;
    const before = await list("shop");
    expect(before).toContain("nobody");
    expect(await list("rival")).not.toContain("nobody");
    for (let id = 0; id < 5; id++) {
      const { status } = await admin("DELETE", `/api/v1/admin/deletions?signal=logs&id=${id}`, "rival");
      expect(status).toBeGreaterThanOrEqual(400);
      await admin("DELETE", `/loki/api/v1/delete?request_id=${id}&force=true`, "rival");
    }
    expect(await list("shop")).toBe(before);
  });

  test("gets no copy of all data, neither over HTTP nor by the commands", async () => {
    expect((await admin("POST", "/api/v1/admin/copy", "rival")).status).toBe(403);
    const keyFile = join(dataDir, "rival.key");
    writeFileSync(keyFile, keyOf("rival"), { mode: 0o600 });
    const out = mkdtempSync(join(tmpdir(), "sightline-stolen-"));
    const remote = ["--url", server.url, "--key-file", keyFile];
    const backup = await runCommandLine(["backup", "create", join(out, "backup"), ...remote]);
    expect(backup.code).not.toBe(0);
    const stolen = await runCommandLine(["export", join(out, "export"), "--tenant", "shop", ...remote]);
    expect(stolen.code).not.toBe(0);
    const asked = await runCommandLine(["query", "{__name__=~'.+'}", "--tenant", "shop", ...remote]);
    expect(asked.code).not.toBe(0);
    expect(`${backup.stdout}${stolen.stdout}${asked.stdout}`).not.toContain(SECRET);
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name)).toEqual([]);
    rmSync(out, { recursive: true });
  });

  test("sees none of the process' own data", async () => {
    for (const path of ["/metrics", "/api/v1/status/config", "/config"]) {
      const { status, text } = await call(`${server.url}${path}`, { headers: bearer("rival") });
      expect({ path, status }).toEqual({ path, status: 403 });
      expect(text).not.toContain(dataDir);
    }
  });
});

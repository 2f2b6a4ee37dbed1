import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { patientMs } from "./harness/patience.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { smallQueriesBeside } from "./harness/small-queries.ts";

/** What a small query beside a hostile one may take. */
const PATIENCE_MS = patientMs(1_500);
const MAX_MEMORY_MIB = 3_000;
const MEGABYTE = 1 << 20;

let server: ServerProcess;
const startSmallQueries = smallQueriesBeside(() => server, { patienceMs: PATIENCE_MS, maxMemoryMiB: MAX_MEMORY_MIB });
beforeAll(async () => {
  server = await ServerProcess.start();
  await push([{ stream: { app: "small" }, values: lines(["one", "two"]) }]);
  startSmallQueries(["vector(1)"]);
});

type Stream = { readonly stream: Readonly<Record<string, string>>; readonly values: readonly (readonly string[])[] };
let clock = BigInt(Date.now()) * 1_000_000n;
const lines = (texts: readonly string[]) => texts.map((text) => [String(clock++), text]);

async function push(streams: readonly Stream[]): Promise<void> {
  const answer = await call(`${server.url}/loki/api/v1/push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ streams }),
  });
  expect([answer.status, answer.text]).toEqual([204, ""]);
}

async function ask(path: string, parameters: Record<string, string>) {
  const { status, text } = await call(`${server.url}/loki/api/v1/${path}?${new URLSearchParams(parameters)}`);
  return { status, text, json: () => JSON.parse(text) };
}

async function count(query: string): Promise<number> {
  const { status, text, json } = await ask("query", {
    query: `sum(count_over_time(${query}[1h]))`,
    time: String(clock),
  });
  expect(status, text.slice(0, 500)).toBe(200);
  return Number(json().data.result[0]?.value[1] ?? 0);
}

describe("lines of ten megabytes", () => {
  const LINE = {
    plain: `${"a".repeat(10 * MEGABYTE)} needle`,
    words: "level=info status=200 took=12ms ".repeat((10 * MEGABYTE) / 32),
    json: `{"a":"${"x".repeat(10 * MEGABYTE)}","b":1}`,
    deep: `${'{"a":'.repeat(MEGABYTE)}1${"}".repeat(MEGABYTE)}`,
  };
  beforeAll(async () => {
    for (const [kind, line] of Object.entries(LINE)) {
      await push([{ stream: { app: "large", kind }, values: lines([line]) }]);
    }
  });

  test.each([
    '|= "needle"',
    '!= "needle"',
    '|~ "need.e"',
    '|~ "(a?){50}a{50}[cd]"',
    '|~ "(a|b)*a(a|b){20}[cd]"',
    '|~ "(x+x+)+y"',
    "|~ `(?i)[^ ]+ status=5\\d\\d`",
    "| json",
    "| json | b = 1",
    "| json x=`a.a.a.a`",
    "| logfmt",
    "| logfmt | took > 5ms",
    "| unpack",
    "| decolorize",
    "| pattern `<a> <b> <c>`",
    "| regexp `(?P<a>(a?){50}a{50})`",
    "| regexp `(?P<x>[a-z]+)=(?P<y>\\d+)$`",
    '| line_format `{{ __line__ | upper | replace "A" "BB" }}`',
    '| line_format `{{ regexReplaceAll "(a|b)*a(a|b){20}" __line__ "x" }}`',
    '| line_format `{{ regexReplaceAll "" __line__ "xxxxxxxxxx" }}`',
    "|> `<_>needle<_>`",
    '|= ip("10.0.0.0/8")',
  ])("are searched with %s", async (stages) => {
    expect(await count(`{app="large"} ${stages} | drop __error__, __error_details__`)).toBeLessThanOrEqual(4);
    const { status } = await ask("query_range", { query: `{app="large", kind="deep"} ${stages}`, limit: "1" });
    expect(status).toBe(200);
  });

  test("and come back whole", async () => {
    const { json } = await ask("query_range", { query: '{app="large", kind="plain"}' });
    expect(json().data.result[0].values[0][1]).toHaveLength(LINE.plain.length);
  });
});

describe("templates that loop or grow", () => {
  const nested = (depth: number) => `${"{{ range $i := 1000 }}".repeat(depth)}x${"{{ end }}".repeat(depth)}`;
  test.each([
    nested(3),
    "{{ range 1000000000 }}{{ end }}",
    "{{ range 100000000 }}xxxxxxxxxxxxxxxx{{ end }}",
    '{{ define "t" }}{{ template "t" }}{{ end }}{{ template "t" }}',
    '{{ define "a" }}{{ template "b" . }}{{ template "b" . }}{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
    "{{ repeat 1000000000 `x` }}",
    "{{ repeat 1000 (repeat 1000 (repeat 1000 `x`)) }}",
    "{{ $x := `x` }}{{ range 64 }}{{ $x = printf `%s%s` $x $x }}{{ end }}{{ $x }}",
    "{{ printf `%1000000000d` 1 }}",
    "{{ alignLeft 1000000000 `x` }}",
    "{{ indent 1000000000 `x` }}",
    "{{ nindent 100000000 __line__ }}",
    "{{ regexReplaceAll `` (repeat 100000 `x`) (repeat 100000 `y`) }}",
    "{{ replace `` (repeat 100000 `y`) (repeat 100000 `x`) }}",
  ])("%s: ends soon, and the line is there with what went wrong", async (template) => {
    const parameters = { query: `{app="small"} | line_format ${JSON.stringify(template)}`, limit: "10" };
    const { status, text, json } = await ask("query_range", parameters);
    expect(status, text.slice(0, 500)).toBe(200);
    expect(text.length).toBeLessThan(5 * MEGABYTE);
    for (const { stream, values } of json().data.result) {
      const isShort = (values as string[][]).every(([, line]) => (line as string).length <= 2_000);
      expect(isShort || stream.__error__ !== undefined || text.length < 4 * MEGABYTE).toBe(true);
    }
  });

  test.each([
    ["{{".repeat(10_000), 400],
    [`{{ ${"(".repeat(10_000)}1${")".repeat(10_000)} }}`, 400],
    ["{{ if 1 }}".repeat(5_000), 400],
  ])("%.20s is refused", async (template, status) => {
    const query = `{app="small"} | line_format ${JSON.stringify(template)}`;
    expect((await ask("query_range", { query })).status).toBe(status);
  });
});

describe("expressions that are too much", () => {
  test.each([
    [`{app="small"} |~ "${"(".repeat(2_000)}${")".repeat(2_000)}"`, [400]],
    [`{app="small"} |~ "(((a{1000}){1000}){1000})"`, [400]],
    [`{app="small"} |~ "${"a?".repeat(5_000)}${"a".repeat(2_000)}"`, [200, 400]],
    [`{app="small"} |~ "${Array.from({ length: 8_000 }, (_, i) => `w${i}`).join("|")}"`, [200, 400, 414, 431]],
    [`{app="small"}${' |= "o"'.repeat(2_000)}`, [200, 400]],
    [`{app="small"} | json${" | a=`b`".repeat(1_000)}`, [200, 400]],
    [`${"sum(".repeat(1_000)}count_over_time({app="small"}[1m])${")".repeat(1_000)}`, [200, 400]],
    [`count_over_time({app="small"}[100y])`, [200, 400]],
  ])("%.60s", async (query, statuses) => {
    const body = new URLSearchParams({ query }).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status, text } = await call(`${server.url}/loki/api/v1/query_range`, { method: "POST", headers, body });
    expect(statuses, text.slice(0, 300)).toContain(status);
    if (status === 400) expect(text).not.toBe("");
  });
});

test("a hundred thousand streams at once are taken, and found", { timeout: patientMs(120_000) }, async () => {
  for (let from = 0; from < 100_000; from += 20_000) {
    await push(
      Array.from({ length: 20_000 }, (_, i) => ({
        stream: { app: "many", id: String(from + i) },
        values: lines([`line ${from + i}`]),
      })),
    );
  }
  expect(await count('{app="many"}')).toBe(100_000);
  expect(await count('{app="many", id="77777"} |= "line"')).toBe(1);
  const values = await ask("label/id/values", { query: '{app="many"}' });
  expect(values.json().data).toHaveLength(100_000);
  const all = await ask("query", { query: 'count_over_time({app="many"}[1h])', time: String(clock) });
  expect([all.status, all.text]).toEqual([400, expect.stringContaining("query.logs.max_series")]);
  const volume = await ask("index/volume", { query: '{app="many"}', targetLabels: "id", limit: "5" });
  expect([200, 400]).toContain(volume.status);
});

describe("a tail client that reads nothing", () => {
  const sockets: Socket[] = [];
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
  });

  /** Asks for the upgrade, and never reads what comes. */
  async function deaf(query: string): Promise<void> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    socket.on("error", () => {});
    socket.pause();
    socket.write(
      `GET /loki/api/v1/tail?${new URLSearchParams({ query })} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await eventually(async () => expect(await metric("sightline_query_tails")).toBeGreaterThanOrEqual(sockets.length));
  }

  async function metric(name: string): Promise<number> {
    const { text } = await call(`${server.url}/metrics`);
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  }

  test("loses lines, which are counted, and takes nobody else's", { timeout: patientMs(120_000) }, async () => {
    await deaf('{app="tailed"}');
    const url = `${server.url.replace("http", "ws")}/loki/api/v1/tail?${new URLSearchParams({ query: '{app="tailed"} |= "wanted"' })}`;
    const reader = new WebSocket(url);
    let received = 0;
    reader.addEventListener("message", ({ data }) => {
      for (const { values } of JSON.parse(String(data)).streams) received += values.length;
    });
    await new Promise((resolve) => reader.addEventListener("open", resolve));
    await eventually(async () => expect(await metric("sightline_query_tails")).toBe(2));
    const texts = Array.from({ length: 1_000 }, (_, i) => `${i === 0 ? "wanted" : ""}${"x".repeat(1_000)}`);
    await eventually(async () => {
      await push([{ stream: { app: "tailed" }, values: lines(texts) }]);
      expect(await metric("sightline_query_tail_dropped_entries_total")).toBeGreaterThan(0);
    }, 60_000);
    const wanted = await count('{app="tailed"} |= "wanted"');
    await eventually(async () => expect(received).toBe(wanted));
    reader.close();
  });
});

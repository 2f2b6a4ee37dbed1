import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "./harness/eventually.ts";
import { ServerProcess } from "./harness/server-process.ts";

let server: ServerProcess;
const nowNs = () => BigInt(Date.now()) * 1_000_000n;
async function push(lines: readonly string[], stream: Record<string, string> = { app: "shop", env: "prod" }) {
  const values = lines.map((line, i) => [String(nowNs() + BigInt(i)), line, { user: "ann" }]);
  const answer = await fetch(`${server.url}/loki/api/v1/push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ streams: [{ stream, values }] }),
  });
  expect([answer.status, await answer.text()]).toEqual([204, ""]);
}
async function get(path: string, parameters: Record<string, string> = {}) {
  const answer = await fetch(`${server.url}/loki/api/v1/${path}?${new URLSearchParams(parameters)}`, {
    headers: { "x-loki-response-encoding-flags": "categorize-labels" },
  });
  expect(answer.status, path).toBe(200);
  return answer.json();
}

beforeAll(async () => {
  server = await ServerProcess.start();
  await push(['{"level":"error","took":"12ms"}', "level=info took=3ms", "plain"]);
});
afterAll(() => server.dispose());

describe("the calls of Grafana's Loki data source and of Logs Drilldown", () => {
  const query = '{app="shop"}';
  test.each<[string, Record<string, string>, unknown]>([
    [
      "query",
      { query: "vector(1)+vector(1)", direction: "backward", time: "4000000000" },
      { data: { resultType: "vector", result: [{ value: [4_000_000_000, "2"] }] } },
    ],
    ["labels", {}, { data: expect.arrayContaining(["app", "env", "service_name"]) }],
    ["labels", { query }, { data: ["app", "env", "service_name"] }],
    ["label/app/values", { query }, { data: ["shop"] }],
    ["series", { "match[]": query }, { data: [{ app: "shop", env: "prod", service_name: "shop" }] }],
    ["index/stats", { query }, { streams: 1, entries: 3 }],
    ["index/volume", { query, limit: "5000" }, { data: { result: [{ metric: { app: "shop" } }] } }],
    ["detected_labels", {}, { detectedLabels: expect.arrayContaining([{ label: "app", cardinality: 1 }]) }],
    ["detected_labels", { query: "" }, {}],
    ["detected_fields", { query }, { fields: expect.arrayContaining([expect.objectContaining({ label: "took" })]) }],
    ["detected_field/took/values", { query }, { values: ["12ms", "3ms"] }],
    ["drilldown-limits", {}, { limits: { volume_enabled: true }, pattern_ingester_enabled: true }],
    [
      "query_range",
      { query: `sum by (level, detected_level) (count_over_time(${query} | drop __error__ [1m]))`, step: "60000ms" },
      { data: { resultType: "matrix" } },
    ],
    [
      "query_range",
      { query, limit: "10" },
      {
        data: {
          resultType: "streams",
          encodingFlags: ["categorize-labels"],
          result: [{ stream: { app: "shop", env: "prod", service_name: "shop" } }],
        },
      },
    ],
  ])("%s %j", async (path, parameters, want) => {
    expect(await get(path, parameters)).toMatchObject(want as object);
  });
});

describe("what Grafana's data source takes for granted", () => {
  const raw = async (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${server.url}/loki/api/v1/${path}?${new URLSearchParams(parameters)}`, { headers });
    return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
  };
  const flags = { "x-loki-response-encoding-flags": "categorize-labels", "x-query-tags": "Source=logsample" };
  const nowText = () => String(nowNs());

  test("it knows the encoding before it reads lines, and each line has a third element", async () => {
    const range = { start: String(nowNs() - 3_600_000_000_000n), end: nowText() };
    const query = '{app="shop"} | logfmt';
    const { text, type } = await raw("query_range", { query, ...range, step: "1000ms" }, flags);
    expect(type).toMatch(/^application\/json/);
    expect(text.indexOf('"encodingFlags":["categorize-labels"]')).toBeGreaterThan(0);
    expect(text.indexOf('"encodingFlags"')).toBeLessThan(text.indexOf('"result":'));
    const { data } = JSON.parse(text) as { data: { result: { values: [string, string, object][] }[] } };
    for (const [time, line, categories] of data.result.flatMap(({ values }) => values)) {
      expect(time).toMatch(/^\d{19}$/);
      expect(typeof line).toBe("string");
      expect(["structuredMetadata", "parsed"]).toEqual(expect.arrayContaining(Object.keys(categories)));
    }
  });

  test("without the flag a line has two", async () => {
    const { text } = await raw("query_range", { query: '{app="shop"}' });
    const { data } = JSON.parse(text) as { data: { result: { values: string[][] }[] } };
    expect(data.result.flatMap(({ values }) => values).every((value) => value.length === 2)).toBe(true);
    expect(text).not.toContain("encodingFlags");
  });

  test("the volume histogram, by the level that was detected", async () => {
    const query = 'sum by (level, detected_level) (count_over_time({app="shop"} | drop __error__ [1h]))';
    const { text } = await raw("query", { query, time: nowText() }, { "x-query-tags": "Source=logvolhist" });
    const { data } = JSON.parse(text) as { data: { result: { metric: object; value: [number, string] }[] } };
    const counts = data.result.map(({ metric, value }) => [JSON.stringify(metric), value[1]]);
    expect(new Map(counts as [string, string][])).toEqual(
      new Map([
        ['{"detected_level":"error"}', "1"],
        ['{"detected_level":"info"}', "1"],
        ['{"detected_level":"unknown"}', "1"],
      ]),
    );
  });

  test.each([
    ["index/volume", { query: '{service_name=~".+"}', limit: "5000", targetLabels: "service_name" }],
    ["patterns", { query: '{app="shop"}', step: "10s" }],
    ["detected_labels", { query: "" }],
    ["detected_fields", { query: '{app="shop"}', line_limit: "1000" }],
  ])("Logs Drilldown asks %s with times in RFC 3339", async (path, parameters) => {
    const start = new Date(Date.now() - 3_600_000).toISOString();
    const end = new Date(Date.now() + 60_000).toISOString();
    const { status, text } = await raw(path, { ...parameters, start, end });
    expect([status, text.slice(0, 1)]).toEqual([200, "{"]);
  });

  test("an error is told in plain text", async () => {
    const { status, type, text } = await raw("query_range", { query: '{app="shop"' });
    expect([status, type]).toEqual([400, "text/plain; charset=utf-8"]);
    expect(text).toMatch(/^parse error at line 1, col 12: syntax error: unexpected \$end/);
  });
});

describe("tail", () => {
  type Message = { streams: { stream: Record<string, string>; values: string[][] }[]; dropped_entries?: unknown[] };
  async function tail(parameters: Record<string, string>, path = "v1/tail") {
    const url = `${server.url.replace("http", "ws")}/loki/api/${path}?${new URLSearchParams(parameters)}`;
    const socket = new WebSocket(url);
    const lines: string[] = [];
    const messages: Message[] = [];
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      messages.push(message);
      for (const { values } of message.streams) for (const [, line] of values) lines.push(line as string);
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    return { socket, lines, messages };
  }

  test.each(["v1/tail", "v2alpha/tail"])("%s gives what is there and then what comes", async (path) => {
    const app = `tail-${path.slice(0, 2)}`;
    await push(["old 1", "old 2", "other"], { app });
    const { socket, lines, messages } = await tail({ query: `{app="${app}"} |= "o" != "other"`, limit: "1" }, path);
    await eventually(async () => expect(lines).toEqual(["old 2"]));
    await push(["new one", "nothing at all is found here: x", "xyz"], { app });
    await push(["not ours, though it has an o"], { app: "another" });
    await eventually(async () => expect(lines).toHaveLength(3));
    expect(lines.slice(1)).toEqual(["new one", "nothing at all is found here: x"]);
    expect(messages.at(-1)?.streams[0]?.stream).toMatchObject({ app, user: "ann", detected_level: "unknown" });
    socket.close();
  });

  test.each([
    ['{app="x"', "parse error"],
    ['rate({app="x"}[1m])', "only log selector is supported"],
  ])("%s is refused", async (query, message) => {
    const answer = await fetch(`${server.url}/loki/api/v1/tail?${new URLSearchParams({ query })}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(message);
  });

  test("a request that offers HTTP/2 keeps its body", async () => {
    const body = JSON.stringify({ streams: [{ stream: { app: "http2" }, values: [[String(nowNs()), "whole"]] }] });
    const { stdout } = await promisify(execFile)("curl", [
      "-s",
      "--http2",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      "-H",
      "content-type: application/json",
      "-d",
      body,
      `${server.url}/loki/api/v1/push`,
    ]);
    expect(stdout).toBe("204");
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { ServerProcess } from "./harness/server-process.ts";

const NOW_MS = Date.now();
const ns = (msAgo: number) => String(BigInt(NOW_MS - msAgo) * 1_000_000n);
const START = ns(600_000);
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
let server: ServerProcess;
let ask: Ask;

type Pattern = { pattern: string; level: string; samples: [number, number][] };

beforeAll(async () => {
  server = await ServerProcess.start();
  ask = new Ask(server.url, "shop");
});
afterAll(() => server.dispose());

type Sent = { msAgo: number; body: string; severity?: string };
async function send(service: string, records: readonly Sent[], tenant = "shop"): Promise<void> {
  const logRecords = records.map(({ msAgo, body, severity = "INFO" }) => ({
    timeUnixNano: ns(msAgo),
    severityNumber: severity === "INFO" ? 9 : 17,
    severityText: severity,
    body: { stringValue: body },
    attributes: [{ key: "duration.ms", value: { intValue: String(msAgo % 100) } }],
  }));
  const attributes = [
    { key: "service.name", value: { stringValue: service } },
    { key: "host.name", value: { stringValue: "h1" } },
  ];
  const body = JSON.stringify({ resourceLogs: [{ resource: { attributes }, scopeLogs: [{ logRecords }] }] });
  const headers = { "content-type": "application/json", "x-scope-orgid": tenant };
  const { status } = await call(`${server.otlpHttp}/v1/logs`, { method: "POST", headers, body: Buffer.from(body) });
  expect(status).toBe(200);
}

async function patternsOf(query: string, who = ask): Promise<string[]> {
  const parameters = { query, start: START, end: ns(-60_000), step: "10s" };
  const { data } = await who.get<{ data: Pattern[] }>("/loki/api/v1/patterns", parameters);
  return data
    .map(({ pattern, level, samples }) => `${level} ${samples.reduce((sum, [, count]) => sum + count, 0)} ${pattern}`)
    .sort();
}

const USERS = ["ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ivy", "jon"];

test("patterns of lines are there at once, over kill -9, and until their lines are deleted", async () => {
  const took = Array.from({ length: 50 }, (_, i) => ({ msAgo: 5_000 + i, body: `GET /cart/${i} took ${i * 3}ms` }));
  const failed = USERS.map((user, i) => ({
    msAgo: 4_000 + i,
    body: `payment of ${user} has failed`,
    severity: "ERROR",
  }));
  await send("cart", [...took, ...failed]);
  await send("mail", [{ msAgo: 4_500, body: "sent 3 letters" }]);
  await send("cart", [{ msAgo: 4_500, body: "of somebody else 17" }], "rival");
  const wanted = await patternsOf('{service_name="cart"}');
  expect(wanted).toContain("info 50 GET /cart/<_> took <_>");
  expect(wanted.filter((text) => text.startsWith("error")).length).toBeLessThanOrEqual(10);
  expect(await patternsOf('{service_name=~".+"}')).toEqual([...wanted, "info 1 sent <_> letters"].sort());
  expect(await patternsOf('{service_name=~".+"}', new Ask(server.url, "rival"))).toEqual([
    "info 1 of somebody else <_>",
  ]);

  for (const text of wanted) {
    const [level = "", count = "", ...rest] = text.split(" ");
    const filter = `{service_name="cart"} | detected_level="${level}" |> ${JSON.stringify(rest.join(" "))}`;
    const lines = await ask.logs(filter, BigInt(START), BigInt(ns(-60_000)));
    expect({ text, lines: lines.length }).toEqual({ text, lines: Number(count) });
  }

  await server.kill();
  await server.restart();
  ask = new Ask(server.url, "shop");
  await eventually(async () => expect(await patternsOf('{service_name="cart"}')).toEqual(wanted));

  const selector = `{service_name="cart"} |= "payment"`;
  const headers = { "content-type": "application/json", "x-scope-orgid": "shop" };
  const body = Buffer.from(JSON.stringify({ signal: "logs", selector }));
  const { status } = await call(`${server.url}/api/v1/admin/deletions`, { method: "POST", headers, body });
  expect(status).toBeLessThan(300);
  expect(await patternsOf('{service_name="cart"}')).toEqual(["info 50 GET /cart/<_> took <_>"]);
});

test("filters, facets, histograms and attributes of what a query selects", async () => {
  await send("facets", [
    { msAgo: 3_000, body: `one trace_id=${TRACE}` },
    { msAgo: 2_500, body: "two", severity: "ERROR" },
    { msAgo: 2_000, body: "three" },
  ]);
  const query = '{service_name="facets"}';
  const range = { query, start: START, end: ns(-60_000) };
  expect(await patternsOf(`${query} |= "t" | severity_text="ERROR"`)).toEqual(["error 1 two"]);
  expect(await ask.logs(`${query} | trace_id="${TRACE}"`, BigInt(START), BigInt(ns(0)))).toHaveLength(1);

  const facets = await ask.get<{ data: { facets: { name: string; values: unknown }[] } }>("/api/v1/logs/facets", range);
  const levels = facets.data.facets.find(({ name }) => name === "detected_level");
  expect(levels?.values).toEqual([
    { value: "info", count: 2 },
    { value: "error", count: 1 },
  ]);
  const histogram = await ask.get("/api/v1/logs/histogram", { ...range, step: "1m" });
  expect(histogram).toMatchObject({ data: { total: 3, levels: [{ level: "info", total: 2 }, { level: "error" }] } });
  const attributes = await ask.get("/api/v1/attributes", { signal: "logs", prefix: "duration", ...range });
  expect(attributes).toMatchObject({
    data: { items: 3, attributes: [{ name: "duration.ms", types: ["int"], count: 3 }] },
  });
});

test("what came before and after a record", async () => {
  await send(
    "context",
    Array.from({ length: 9 }, (_, i) => ({ msAgo: 2_000 - i, body: `line ${i}` })),
  );
  const parameters = { query: '{service_name="context"}', time: ns(1_996), before: "2", after: "2" };
  type Context = { data: Record<"before" | "at" | "after", { line: string }[]> };
  const { data } = await ask.get<Context>("/api/v1/logs/context", parameters);
  const lines = (entries: { line: string }[]) => entries.map(({ line }) => line);
  expect([lines(data.before), lines(data.at), lines(data.after)]).toEqual([
    ["line 2", "line 3"],
    ["line 4"],
    ["line 5", "line 6"],
  ]);
});

test("patterns that are new beside those of before", async () => {
  await send("changes", [
    { msAgo: 300_000, body: "beat 17" },
    { msAgo: 5_000, body: "beat 18" },
    { msAgo: 4_000, body: "disk is full" },
  ]);
  const times = { start: ns(60_000), end: ns(-60_000), baselineStart: START, baselineEnd: ns(60_000) };
  const answer = await ask.get("/api/v1/logs/patterns", { query: '{service_name="changes"}', ...times });
  expect(answer).toMatchObject({
    data: {
      isComplete: true,
      patterns: [
        { pattern: "disk is full", change: "new", count: 1, baselineCount: 0, ratio: null },
        { pattern: "beat <_>", change: "same", count: 1, baselineCount: 1 },
      ],
    },
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommandLine, ServerProcess } from "./harness/server-process.ts";

const root = mkdtempSync(join(tmpdir(), "sightline-export-"));
const HOUR_NS = 3_600_000_000_000n;
const nowNs = BigInt(Date.now()) * 1_000_000n + 123_456n;
const yesterdayNs = nowNs - 24n * HOUR_NS;
let server: ServerProcess;

const text = (stringValue: string) => ({ stringValue });
const resource = { attributes: [{ key: "service.name", value: text("web") }] };
const attributes = [
  { key: "user.id", value: { intValue: "9007199254740993" } },
  { key: "ratio", value: { doubleValue: 0.5 } },
  { key: "note", value: text('it\'s "quoted"\n') },
];

beforeAll(async () => {
  server = await ServerProcess.start({});
  const post = async (signal: string, body: unknown, tenant = "shop") => {
    const headers = { "content-type": "application/json", "x-scope-orgid": tenant };
    const answer = await fetch(`${server.url}/v1/${signal}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  };
  const record = (timeNs: bigint, body: string) => ({
    timeUnixNano: `${timeNs}`,
    body: text(body),
    severityNumber: 9,
    attributes,
  });
  const logRecords = [record(nowNs, "now"), record(yesterdayNs, "yesterday")];
  await post("logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] });
  await post("logs", { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [record(nowNs, "theirs")] }] }] }, "bank");
  const times = { startTimeUnixNano: `${nowNs}`, endTimeUnixNano: `${nowNs + 5n}` };
  const span = { traceId: "a".repeat(32), spanId: "b".repeat(16), name: "GET /", attributes, ...times };
  await post("traces", { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
  const point = (timeNs: bigint, asDouble: number) => ({ timeUnixNano: `${timeNs}`, asDouble });
  const dataPoints = [point(nowNs, 1.5), point(nowNs - HOUR_NS / 60n, 2.5)];
  await post("metrics", {
    resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: "cart", gauge: { dataPoints } }] }] }],
  });
});
afterAll(async () => {
  await server.dispose();
  rmSync(root, { recursive: true, force: true });
});

const exportTo = (dir: string, ...more: string[]) =>
  runCommandLine(["export", join(root, dir), "--tenant", "shop", "--url", server.url, "--start", "3d", ...more]);

function rowsOf(dir: string, signal: string): Record<string, unknown>[] {
  const files = readdirSync(join(root, dir))
    .filter((name) => name.startsWith(signal))
    .sort();
  const lines = files.flatMap((name) =>
    readFileSync(join(root, dir, name), "utf8")
      .trim()
      .split("\n"),
  );
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("a tenant's data come as a JSON object per line, a file per day", async () => {
  expect(await exportTo("ndjson")).toMatchObject({ code: 0 });
  expect(readdirSync(join(root, "ndjson")).filter((name) => name.startsWith("logs"))).toHaveLength(2);
  expect(
    rowsOf("ndjson", "logs")
      .map(({ body }) => body)
      .sort(),
  ).toEqual(["now", "yesterday"]);
  const isNow = ({ body }: Record<string, unknown>) => body === "now";
  expect(rowsOf("ndjson", "logs").find(isNow)).toMatchObject({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}123456Z$/),
    labels: { service_name: "web" },
    resource: { "service.name": "web" },
    attributes: { ratio: 0.5, note: 'it\'s "quoted"\n' },
  });
  expect(rowsOf("ndjson", "traces")).toMatchObject([{ trace_id: "a".repeat(32), name: "GET /", duration_ns: 5 }]);
  // A file per day, and midnight may be between the two samples.
  const cart = rowsOf("ndjson", "metrics").filter(({ metric }) => (metric as { __name__: string }).__name__ === "cart");
  expect(cart[0]).toMatchObject({ metric: { job: "web" } });
  expect(cart.flatMap(({ values }) => values)).toEqual([2.5, 1.5]);
  const audit = (await (
    await fetch(`${server.url}/api/v1/admin/audit`, { headers: { "x-scope-orgid": "shop" } })
  ).json()) as object;
  expect(JSON.stringify(audit)).toContain('"action":"export"');
});

test("or as Parquet, which others read with types", async () => {
  expect(await exportTo("parquet", "--format", "parquet")).toMatchObject({ code: 0 });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRows();
  const files = (signal: string) => `read_parquet('${join(root, "parquet", signal)}-*.parquet')`;
  expect(
    await ask(`SELECT body, epoch_ns(time), attributes ->> '$."user.id"' FROM ${files("logs")} ORDER BY time`),
  ).toEqual([
    ["yesterday", yesterdayNs, "9007199254740993"],
    ["now", nowNs, "9007199254740993"],
  ]);
  expect(await ask(`SELECT name, duration_ns, epoch_ns(start) FROM ${files("traces")}`)).toEqual([
    ["GET /", 5n, nowNs],
  ]);
  expect(await ask(`SELECT value FROM ${files("metrics")} WHERE metric ->> '__name__' = 'cart' ORDER BY time`)).toEqual(
    [[2.5], [1.5]],
  );
  connection.closeSync();
  instance.closeSync();
});

test.each([
  [["export"], "usage: export DIR"],
  [["export", "/tmp/x", "--tenant", "a", "--format", "csv"], "--format csv: ndjson or parquet"],
  [["export", "/tmp/x", "--tenant", "a", "--signal", "lags"], "--signal lags"],
  [["export", "/tmp/x", "--tenant", "a", "--start", "long ago"], '--start "long ago" is not a time'],
])("%j says what is wrong", async (words, message) => {
  const { code, stderr } = await runCommandLine(words);
  expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
});

import { execFile } from "node:child_process";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";

const run = promisify(execFile);
const MAIN = new URL("../demo/main.ts", import.meta.url).pathname;

type Received = { readonly path: string; readonly type: string; readonly body: Buffer };

let server: Server | undefined;
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

/** Takes whatever comes, or answers everything but the first, empty request with `status`. */
async function startEndpoint(status = 200): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  server = createServer(async (request, response) => {
    const body = await readBody(request);
    const type = request.headers["content-type"] ?? "";
    received.push({ path: request.url ?? "", type, body });
    response.writeHead(received.length === 1 ? 200 : status, { "content-type": type });
    response.end(type === "application/json" ? "{}" : "");
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
}

function runDemo(...args: readonly string[]) {
  return run(process.execPath, [MAIN, ...args], { timeout: 60_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

describe("a history", () => {
  test("is sent in all three signals, with its own times, and counted", async () => {
    const { url, received } = await startEndpoint();
    const { code, stdout } = await runDemo(
      "--endpoint",
      url,
      "--backfill",
      "30m",
      "--backfill-traces",
      "0.2",
      "--rate",
      "20",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/sent: \d{3,} visits, \d{3,} spans, \d{3,} log records, \d{3,} data points accepted\n/);
    expect(new Set(received.map(({ path, type }) => `${path} ${type}`))).toEqual(
      new Set([
        "/v1/traces application/json",
        "/v1/traces application/x-protobuf",
        "/v1/logs application/x-protobuf",
        "/v1/metrics application/x-protobuf",
        "/v1/metrics application/json",
      ]),
    );
    const spans = Buffer.concat(received.filter(({ path }) => path === "/v1/traces").map(({ body }) => body));
    for (const service of ["frontend", "checkout", "payments"]) expect(spans.includes(service)).toBe(true);
  });

  test("has durations with exemplars of traces, cumulative since its start", async () => {
    const { url, received } = await startEndpoint();
    await runDemo("--endpoint", url, "--backfill", "10m", "--backfill-traces", "1");
    const points = received
      .filter(({ path, type }) => path === "/v1/metrics" && type === "application/json")
      .flatMap(({ body }) => JSON.parse(body.toString()).resourceMetrics)
      .flatMap((resource) => resource.scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .flatMap((metric) => metric.histogram.dataPoints);
    expect(new Set(points.map((point) => point.startTimeUnixNano)).size).toBe(1);
    const times = new Set(points.map((point) => point.timeUnixNano));
    expect(times.size).toBeGreaterThan(30);
    const exemplars = points.flatMap((point) => point.exemplars ?? []);
    expect(exemplars.length).toBeGreaterThan(10);
    expect(exemplars[0]).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      asDouble: expect.any(Number),
    });
  });
});

test("a live run ends when its time is over, with its metrics sent", async () => {
  const { url, received } = await startEndpoint();
  const { code, stdout } = await runDemo("--endpoint", url, "--duration", "1.5s", "--rate", "60");
  expect(code).toBe(0);
  expect(stdout).toContain("sent: ");
  expect(received.some(({ path }) => path === "/v1/metrics")).toBe(true);
});

describe("it fails clearly", () => {
  test("when nothing is there", async () => {
    const { code, stderr } = await runDemo("--endpoint", "http://127.0.0.1:9", "--duration", "1s");
    expect(code).toBe(1);
    expect(stderr).toContain("nothing answers at http://127.0.0.1:9");
    expect(stderr).toContain("npm start");
  });

  test("when nothing is accepted", async () => {
    const { url } = await startEndpoint(400);
    const { code, stderr } = await runDemo("--endpoint", url, "--backfill", "1h");
    expect(code).toBe(1);
    expect(stderr).toContain("did not accept 3 requests in a row");
  });

  test("when it does not understand its arguments", async () => {
    const { code, stderr } = await runDemo("--fail", "billing");
    expect(code).toBe(2);
    expect(stderr).toContain("there is no such service");
  });
});

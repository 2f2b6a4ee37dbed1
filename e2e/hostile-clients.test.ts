import { Agent } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Canary } from "./harness/canary.ts";
import { eventually } from "./harness/eventually.ts";
import { call } from "./harness/http-call.ts";
import { patientMs } from "./harness/patience.ts";
import { remoteWrite } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

const PATIENCE_MS = patientMs(1_000);
const NOW_SECONDS = Math.floor(Date.now() / 60_000) * 60;
/** Takes seconds, and holds millions of samples. */
const COSTLY = `max_over_time(sum by (i) (many * on (i) many)[1000s:10ms] @ ${NOW_SECONDS})`;

let server: ServerProcess;
let canary: Canary;
beforeAll(async () => {
  server = await ServerProcess.start();
  const samples = Array.from({ length: 100 }, (_, i) => ({
    timeMs: (NOW_SECONDS - 10 * i) * 1_000,
    value: i,
  })).reverse();
  const series = Array.from({ length: 100 }, (_, i) => ({
    labels: [
      ["__name__", "many"],
      ["i", String(i)],
    ] as const,
    samples,
  }));
  await remoteWrite(server.url, 1, series);
  // Within one tenant queries take turns; tenants share the server evenly.
  canary = new Canary(server.url, ["vector(1)", "count(up)"], "bystander");
});
beforeEach(() => {
  canary.worst();
});
afterAll(async () => {
  await canary.stop();
  console.info(`peak memory: ${server.peakMemoryMiB()} MiB`);
  await server.dispose();
});

function expectCalm(): void {
  const { ms, failures } = canary.worst();
  expect(server.isAlive, server.stderr.slice(-2_000)).toBe(true);
  expect(failures, "small queries that failed").toBe(0);
  expect(ms, "slowest small query").toBeLessThan(PATIENCE_MS);
  // How much of it queries hold at once is a matter of how fast the machine is.
  expect(server.peakMemoryMiB()).toBeLessThan(server.memoryLimitMiB());
}

/** Queries that are evaluated or wait for their turn. */
async function activeQueries(): Promise<number> {
  const answer = await call(`${server.url}/api/v1/status/active_queries`);
  const { data } = JSON.parse(answer.text) as { data: unknown[] | { queries: unknown[] } };
  return (Array.isArray(data) ? data : data.queries).length;
}

/** Sends the text and closes after a while, or when it got the answer that it `wants`. Resolves with what came. */
function sendAndLeave(text: string, leaveAfterMs: number, wants?: RegExp): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on("data", (chunk) => {
      received += chunk.toString();
      if (wants?.test(received)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.once("close", () => resolve(received));
    setTimeout(() => socket.destroy(), leaveAfterMs);
  });
}

const path = (query: string) => `/api/v1/query?query=${encodeURIComponent(query)}`;

test("the query is as costly as it is meant to be", async () => {
  const answer = await call(`${server.url}${path(COSTLY)}&timeout=300ms`);
  expect(answer).toMatchObject({ status: 503 });
  expect(JSON.parse(answer.text)).toMatchObject({ errorType: "timeout", error: expect.stringContaining("300 ms") });
  expectCalm();
});

test("1,000 costly queries at once are answered, refused or run out of time, and other tenants do not notice", async () => {
  const agent = new Agent({ maxSockets: 1_000 });
  const began = performance.now();
  const ask = () => call(`${server.url}${path(COSTLY)}&timeout=3s`, { agent, headers: { "x-scope-orgid": "default" } });
  const answers = await Promise.all(Array.from({ length: 1_000 }, ask));
  agent.destroy();
  for (const { status } of answers) expect([200, 503]).toContain(status);
  const refused = answers.filter(({ text }) => text.includes("query.max_waiting"));
  expect(refused.length).toBeGreaterThan(0);
  expect(JSON.parse(refused[0]?.text ?? "")).toMatchObject({ status: "error", errorType: "unavailable" });
  expect(performance.now() - began).toBeLessThan(patientMs(15_000));
  expectCalm();
});

test("300 clients that go away leave nothing behind", async () => {
  const cpuBefore = server.cpuSeconds();
  const request = `GET ${path(COSTLY)} HTTP/1.1\r\nHost: x\r\n\r\n`;
  await Promise.all(Array.from({ length: 300 }, (_, i) => sendAndLeave(request, 200 + i)));
  await eventually(async () => expect(await activeQueries()).toBeLessThanOrEqual(2), 5_000);
  expect(server.cpuSeconds() - cpuBefore).toBeLessThan(patientMs(10_000) / 1_000);
});

describe("bodies that never end", () => {
  const head = (target: string, type: string) =>
    `POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const form = "application/x-www-form-urlencoded";

  test.each([
    ["a query", "/api/v1/query", form],
    ["selectors", "/api/v1/series", form],
    ["a remote read", "/api/v1/read", "application/x-protobuf"],
    ["a LogQL query", "/loki/api/v1/query_range", form],
  ])("of %s are cut off at the limit", async (_, target, type) => {
    const chunk = `${(65_536).toString(16)}\r\n${"a".repeat(65_536)}\r\n`;
    // 6.5 MB, and no end.
    const received = await sendAndLeave(head(target, type) + chunk.repeat(100), patientMs(3_000), /max_form_bytes/);
    expect(received).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect(received).toContain("query.max_form_bytes");
    expectCalm();
  });

  test("200 that say nothing hold up nobody", async () => {
    const waiting = Array.from({ length: 200 }, () => sendAndLeave(`${head("/api/v1/query", form)}5\r\nquery`, 2_000));
    for (const received of await Promise.all(waiting)) expect(received).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
    expectCalm();
  });

  test("a body shorter than its length is no query", async () => {
    const text = `POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: ${form}\r\nContent-Length: 100\r\n\r\nquery=1`;
    expect(await sendAndLeave(text, 500)).toBe("");
    expectCalm();
  });
});

test.each([
  ["what is no HTTP", "hello\r\n\r\n", /^HTTP\/1\.1 400/],
  ["a header that never ends", `GET / HTTP/1.1\r\nX: ${"a".repeat(2_000_000)}`, /^HTTP\/1\.1 431/],
  ["100,000 headers", `GET / HTTP/1.1\r\n${"a: b\r\n".repeat(200_000)}`, /^HTTP\/1\.1 4\d\d/],
  [
    "a path that can't be decoded",
    "GET /api/v1/label/%FF/values HTTP/1.1\r\nHost: x\r\n\r\n",
    /"errorType":"bad_data"/,
  ],
  [
    "two lengths",
    "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    /^HTTP\/1\.1 400/,
  ],
  [
    "a length and chunks",
    "POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    /^HTTP\/1\.1 400/,
  ],
])("%s is refused", async (_, text, answer) => {
  expect(await sendAndLeave(text, patientMs(5_000), answer)).toMatch(answer);
  expectCalm();
});

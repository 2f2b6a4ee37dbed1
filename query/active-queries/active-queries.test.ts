import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvalidInputError } from "@sightline/model/errors.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import fastify, { type FastifyInstance } from "fastify";
import { beforeEach, expect, test, vi } from "vitest";
import { queryConfig } from "../config.ts";
import { registerQueryApi } from "../http/query-api.ts";
import { TEST_DEPS } from "../http/test-app.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import { QueryLog } from "./query-log.ts";
import type { QueryEnd, QueryStart } from "./query-record.ts";
import { QueryTracker } from "./query-tracker.ts";
import { registerActiveQueries } from "./routes.ts";
import { TopQueries } from "./top-queries.ts";

const HOUR = 3_600_000;
const started = (text: string): QueryStart => ({
  tenant: DEFAULT_TENANT,
  route: "/api/v1/query",
  method: "GET",
  clientIp: "127.0.0.1",
  text,
  parameters: { time: "4" },
});
const ended = (text: string, runMs: number, rest: Partial<QueryEnd> = {}): QueryEnd => ({
  start: started(text),
  startedAtMs: 10 * HOUR,
  queuedMs: 2,
  runMs,
  usage: { samples: 10, peakSamples: 5, cachedSteps: 0 },
  error: undefined,
  ...rest,
});

let app: FastifyInstance;
let release: () => void;
beforeEach(() => {
  app = fastify();
  const tracker = new QueryTracker({ maxTopQueries: 10, topWindowMs: HOUR });
  const deps = { ...TEST_DEPS, tracker };
  registerActiveQueries(app, deps);
  const { promise, resolve } = Promise.withResolvers<void>();
  release = resolve;
  registerQueryApi(app, deps, sendPrometheusFailure, [
    {
      methods: ["GET"],
      url: "/slow",
      gated: true,
      handler: async ({ reply, usage, signal }) => {
        await Promise.race([
          promise,
          new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
        ]);
        usage.samples = 7;
        return reply.send("done");
      },
    },
  ]);
});

/** Those that have begun, as soon as there are any. */
const running = () =>
  vi.waitFor(
    async () => {
      const { queries } = (await ask("active_queries")).data;
      expect(queries).not.toEqual([]);
      return queries;
    },
    { timeout: 30_000 },
  );
const ask = async (url: string, tenant = "default") =>
  (await app.inject({ url: `/api/v1/status/${url}`, headers: { "x-scope-orgid": tenant } })).json();

test("a query is on the list while it runs, for its tenant only, and among the top ones afterwards", async () => {
  const answer = app.inject("/slow?query=up&start=1&end=2&step=15s");
  expect(await running()).toMatchObject([
    { state: "running", route: "/slow", query: "up", parameters: { start: "1", end: "2", step: "15s" } },
  ]);
  expect((await ask("active_queries", "other")).data.queries).toEqual([]);
  release();
  expect((await answer).body).toBe("done");
  expect((await ask("active_queries")).data.queries).toEqual([]);
  expect((await ask("top_queries?by=samples")).data.queries).toMatchObject([{ query: "up", count: 1, samples: 7 }]);
  expect((await ask("top_queries", "other")).data.queries).toEqual([]);
});

test("a query can be cancelled by its own tenant", async () => {
  const answer = app.inject("/slow?query=up");
  const [{ id }] = await running();
  const cancel = (tenant: string) =>
    app.inject({
      method: "POST",
      url: `/api/v1/status/active_queries/cancel?id=${id}`,
      headers: { "x-scope-orgid": tenant },
    });
  expect((await cancel("other")).statusCode).toBe(404);
  expect((await cancel("default")).statusCode).toBe(204);
  expect((await answer).json()).toMatchObject({ errorType: "canceled", error: "the query was cancelled by request" });
  expect((await ask("top_queries")).data.queries[0]).toMatchObject({ errors: 1 });
});

test.each(["top_queries?by=x", "top_queries?limit=0", "top_queries?limit=1001"])("%s is refused", async (url) => {
  expect((await ask(url)).errorType).toBe("bad_data");
});

test("top queries are merged by text and ordered by what is asked for", () => {
  const top = new TopQueries({ maxEntries: 10, windowMs: HOUR });
  for (const query of [
    ended("slow", 100),
    ended("often", 1),
    ended("often", 3),
    ended("slow", 50, { error: "LimitError" }),
  ]) {
    top.add(query);
  }
  const list = (order: "time" | "count") => top.list(DEFAULT_TENANT, order, 5, 10 * HOUR).map(({ text }) => text);
  expect(list("time")).toEqual(["slow", "often"]);
  expect(top.list(DEFAULT_TENANT, "time", 1, 10 * HOUR)).toMatchObject([
    { text: "slow", count: 2, errors: 1, totalMs: 150, maxMs: 100, samples: 20, peakSamples: 5 },
  ]);
  expect(top.list(tenantId("other"), "time", 5, 10 * HOUR)).toEqual([]);
});

test("top queries stay few: the cheapest is forgotten", () => {
  const top = new TopQueries({ maxEntries: 3, windowMs: HOUR });
  top.add(ended("costly", 1_000));
  for (let i = 0; i < 100; i++) top.add(ended(`cheap ${i}`, i / 10));
  const texts = top.list(DEFAULT_TENANT, "time", 10, 10 * HOUR).map(({ text }) => text);
  expect(texts).toHaveLength(3);
  expect(texts[0]).toBe("costly");
});

test("top queries are of the last one to two windows", () => {
  const top = new TopQueries({ maxEntries: 3, windowMs: HOUR });
  top.add(ended("old", 1));
  expect(top.list(DEFAULT_TENANT, "time", 10, 11.5 * HOUR)).toHaveLength(1);
  expect(top.list(DEFAULT_TENANT, "time", 10, 12.5 * HOUR)).toHaveLength(0);
  top.add(ended("old", 1));
  expect(top.list(DEFAULT_TENANT, "time", 10, 15 * HOUR)).toHaveLength(0);
});

test("the log has a line of JSON per query that took long enough, appended", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sightline-query-log-"));
  const file = join(dir, "queries.log");
  const config = queryConfig.parse({ log: { to: "file", file, min_duration_ms: 10 } }).log;
  for (const text of ["first", "second"]) {
    const log = new QueryLog({ config, logger: SILENT_LOGGER });
    await log.start();
    log.write(ended("quick", 1));
    log.write(ended(text, 20, { error: "LimitError" }));
    await log.stop();
  }
  const lines = (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ params }) => params.query)).toEqual(["first", "second"]);
  expect(lines[0]).toEqual({
    ts: "1970-01-01T10:00:00.000Z",
    tenant: "default",
    httpRequest: { clientIP: "127.0.0.1", method: "GET", path: "/api/v1/query" },
    params: { query: "first", time: "4" },
    stats: {
      timings: { execQueueTime: 0.002, evalTotalTime: 0.02 },
      samples: { totalQueryableSamples: 10, peakSamples: 5 },
      cachedSteps: 0,
    },
    error: "LimitError",
  });
  await rm(dir, { recursive: true });
});

test("a log that can't be opened says so by its setting", async () => {
  const config = queryConfig.parse({ log: { to: "file", file: "/nonexistent/x" } }).log;
  const log = new QueryLog({ config, logger: SILENT_LOGGER });
  await expect(log.start()).rejects.toThrow(InvalidInputError);
  const unnamed = new QueryLog({ config: { ...config, file: "" }, logger: SILENT_LOGGER });
  await expect(unnamed.start()).rejects.toThrow("query.log.file must name one");
});

test("a text that is too long is cut", async () => {
  const tracker = new QueryTracker({ maxTopQueries: 10, topWindowMs: HOUR });
  const usage = { samples: 0, peakSamples: 0, cachedSteps: 0 };
  await tracker.track(started("x".repeat(10_000)), new AbortController(), usage, async () => {});
  expect(tracker.top(DEFAULT_TENANT, "time", 1)[0]?.text).toHaveLength(2_001);
});

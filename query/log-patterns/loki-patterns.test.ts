import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { ReferenceLogStore } from "@sightline/storage-conformance/reference-log-store.ts";
import { embeddedPatternsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedPatternStore } from "@sightline/storage-embedded/patterns/embedded-pattern-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEST_DEPS } from "../http/test-app.ts";
import { registerLokiPatterns } from "./loki-patterns.ts";
import { recordLevels } from "./record-levels.ts";

const NOW_MS = 1_700_000_000_000;
let app: FastifyInstance;
let dir: string;
let patterns: EmbeddedPatternStore;

const record = (secondsAgo: number, body: string, pod: string, severity = 9): LogRow => ({
  timeNs: BigInt(NOW_MS - secondsAgo * 1_000) * 1_000_000n,
  body,
  severity,
  labels: { service_name: "cart", pod },
});
const RECORDS = [
  record(65, "took 10ms", "a"),
  record(64, "took 20ms", "a"),
  record(5, "took 30ms", "b"),
  record(4, "lost 3 items", "b", 17),
  record(3, "took 40ms", "c"),
];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "sightline-loki-patterns-"));
  patterns = new EmbeddedPatternStore({
    dir,
    config: embeddedPatternsConfig.parse({ max_streams_per_service: 1 }),
    levels: recordLevels(),
    hasOlderLogs: false,
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs: () => NOW_MS,
  });
  await patterns.start();
  const store = new ReferenceLogStore();
  await store.append(DEFAULT_TENANT, logBatchOf(RECORDS));
  await patterns.observe(DEFAULT_TENANT, logBatchOf(RECORDS), 1);
  app = fastify();
  registerLokiPatterns(app, { ...TEST_DEPS, patterns, store, nowMs: () => NOW_MS });
  await app.ready();
});
afterAll(async () => {
  await app.close();
  await patterns.stop();
  await rm(dir, { recursive: true });
});

const at = (secondsAgo: number) => Math.floor((NOW_MS / 1_000 - secondsAgo) / 10) * 10;
const TOOK = "took <_>";
const LOST = "lost <_> items";

test.each<[query: string, want: readonly object[]]>([
  [
    '{service_name="cart"}',
    [
      {
        pattern: TOOK,
        level: "info",
        samples: [
          [at(65), 2],
          [at(5), 2],
        ],
      },
      { pattern: LOST, level: "error", samples: [[at(4), 1]] },
    ],
  ],
  ['{service_name="shop"}', []],
  ['{pod="a"}', [{ pattern: TOOK, level: "info", samples: [[at(65), 2]] }]],
  [
    '{pod="b"}',
    [
      { pattern: LOST, level: "error", samples: [[at(4), 1]] },
      { pattern: TOOK, level: "info", samples: [[at(5), 1]] },
    ],
  ],
  ['{service_name="cart"} |= "items"', [{ pattern: LOST, level: "error", samples: [[at(4), 1]] }]],
  [
    '{service_name="cart"} | detected_level="info" | line_format "{{.pod}}:x1y2"',
    [
      { pattern: "a:<_>", level: "info", samples: [[at(65), 2]] },
      { pattern: "b:<_>", level: "info", samples: [[at(5), 1]] },
      { pattern: "c:<_>", level: "info", samples: [[at(3), 1]] },
    ],
  ],
])("%s", async (query, want) => {
  const answer = await app.inject({ url: "/loki/api/v1/patterns", query: { query, step: "10s" } });
  expect(answer.headers["content-type"]).toBe("application/json; charset=UTF-8");
  expect(answer.json()).toEqual({ status: "success", data: want });
});

test("samples are joined by steps", async () => {
  const query = { query: '{service_name="cart"}', step: "1h" };
  const { data } = (await app.inject({ url: "/loki/api/v1/patterns", query })).json();
  expect(data[0].samples).toEqual([[Math.floor(NOW_MS / 3_600_000) * 3_600, 4]]);
});

test("a pattern that was given, as a filter, selects its lines", async () => {
  const query = { query: `{service_name="cart"} |> "${TOOK}"`, step: "1h" };
  const { data } = (await app.inject({ url: "/loki/api/v1/patterns", query })).json();
  expect(data).toMatchObject([{ pattern: TOOK }]);
});

test.each([
  ["", /unexpected \$end|syntax error/],
  ["{}", /at least one/],
  ['sum(rate({a="b"}[1m]))', /only log selector/],
])("refuses %j", async (query, message) => {
  const answer = await app.inject({ url: "/loki/api/v1/patterns", query: { query } });
  expect(answer.statusCode).toBe(400);
  expect(answer.body).toMatch(message);
});

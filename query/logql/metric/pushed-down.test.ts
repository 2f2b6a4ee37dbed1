import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { ReferenceLogStore } from "@sightline/storage-conformance/reference-log-store.ts";
import { embeddedLogsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedLogStore } from "@sightline/storage-embedded/logs/embedded-log-store.ts";
import fc from "fast-check";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LogReader } from "../log-reader.ts";
import { LogqlEngine } from "../logql-engine.ts";
import { counting, LIMITS, rowOf } from "../logql-test-store.ts";
import type { LogqlValue } from "../result.ts";

const MINUTE_NS = 60_000_000_000n;

async function storeOf(rows: readonly LogRow[]): Promise<ReferenceLogStore> {
  const store = new ReferenceLogStore();
  await store.append(DEFAULT_TENANT, logBatchOf(rows));
  return store;
}

function ask(store: LogReader, query: string, stepNs = MINUTE_NS): Promise<LogqlValue | string> {
  const engine = new LogqlEngine({ store, limits: LIMITS });
  return engine
    .range(query, {
      tenant: DEFAULT_TENANT,
      startNs: MINUTE_NS,
      endNs: 4n * MINUTE_NS,
      stepNs,
      intervalNs: 0n,
      limit: 5,
      newestFirst: false,
      signal: new AbortController().signal,
    })
    .then(
      ({ value }) => value,
      (error: Error) => error.message,
    );
}

describe("the store counts", () => {
  test.each([
    ["sum(count_over_time({app=~`.+`}[1m]))", true],
    ["sum by (app) (rate({app=~`.+`} |= `x` [5m]))", true],
    ["sum by (app, user) (bytes_rate({app=~`.+`} |~ `x` != `y` | user=`u` [1m]))", true],
    ["sum by (level, detected_level) (count_over_time({app=~`.+`} | drop __error__ [1m]))", true],
    ["sum by (user) (count_over_time({app=~`.+`} | status >= 500 or user!=`u` [1m]))", true],
    ["sum(count_over_time({app=~`.+`} | json | logfmt [1m]))", true],
    ["sum(count_over_time({app=~`.+`} | line_format `{{.x}}` [1m]))", true],
    ["absent_over_time({app=~`.+`} |= `x` [1m])", true],
    ["sum(count_over_time({app=~`.+`} | detected_level=~`warn|error` [1m]))", true],
    ["count_over_time({app=~`.+`}[1m])", false],
    ["sum(count_over_time({app=~`.+`}[0s]))", false],
    ["max(count_over_time({app=~`.+`}[1m]))", false],
    ["sum without (app) (count_over_time({app=~`.+`}[1m]))", false],
    ["sum by (app) (count_over_time({app=~`.+`} | json [1m]))", false],
    ["sum(count_over_time({app=~`.+`} | json | x=`y` [1m]))", false],
    ["sum(bytes_over_time({app=~`.+`} | line_format `{{.x}}` [1m]))", false],
    ["sum(count_over_time({app=~`.+`} | decolorize [1m]))", true],
    ["sum(bytes_over_time({app=~`.+`} | decolorize [1m]))", false],
    ["sum(count_over_time({app=~`.+`} |> `<_>x<_>` [1m]))", false],
    ["sum by (x_extracted) (count_over_time({app=~`.+`}[1m]))", false],
    ["sum(sum_over_time({app=~`.+`} | unwrap x [1m]))", false],
  ])("for %s: %s", async (query, does) => {
    let counted = 0;
    const store = counting(await storeOf([rowOf("x", 90)]));
    const watched: LogReader = {
      ...store,
      counts: (request, signal) => {
        counted++;
        return store.counts(request, signal);
      },
    };
    expect(await ask(watched, query)).toEqual(await ask({ select: store.select }, query));
    expect(counted > 0).toBe(does);
  });
});

const value = fc.constantFrom("a", "b", "5", "50", "error", "WARN");
const logRow: fc.Arbitrary<LogRow> = fc.record({
  timeNs: fc.bigInt({ min: 0n, max: 5n * MINUTE_NS }),
  body: fc.constantFrom("", "x", "é x", "error here", '{"level":"warn"}', "level=debug", "xé\u{1f600}", "bad 5"),
  labels: fc.constantFrom(
    { app: "a" },
    { app: "b", user: "u" },
    { app: "a", level: "info" },
    { app: "a", severity: "x" },
  ),
  severity: fc.constantFrom(0, 0, 9, 17),
  severityText: fc.constantFrom("", "", "Info", "odd"),
  traceId: fc.constantFrom("", "ab"),
  resource: fc.constantFrom([], [{ name: "host.name", type: "string" as const, value: "h" }]),
  attributes: fc
    .uniqueArray(fc.tuple(fc.constantFrom("user", "status", "level", "a.b", "detected_level"), value), {
      selector: ([name]) => name,
      maxLength: 3,
    })
    .map((pairs) => pairs.map(([name, text]) => ({ name, type: "string" as const, value: text }))),
});
const names = ["app", "user", "status", "level", "a_b", "detected_level", "severity_text", "host_name", "trace_id"];
const name = fc.constantFrom(...names);
const stage = fc.oneof(
  fc
    .tuple(name, fc.constantFrom("=", "!=", "=~", "!~"), fc.oneof(value, fc.constant("")))
    .map(([label, op, text]) => `| ${label}${op}"${text}"`),
  fc.tuple(name, name).map(([a, b]) => `| ${a}="a" or ${b}=~"err.*"`),
  fc.constantFrom("|= `x`", "!= `error`", "|~ `x|5`", "| status > 5", "| json", "| drop level", "| keep app, user"),
  fc.constantFrom("| drop __error__, user=`a`", "| decolorize", "| line_format `z`", "| __error__=``"),
);
const aggregation = fc
  .tuple(
    fc.oneof(
      fc.uniqueArray(name, { maxLength: 3 }).map((list) => `sum by (${list.join(", ")})`),
      fc.constant("sum"),
    ),
    fc.constantFrom("count_over_time", "rate", "bytes_over_time", "bytes_rate"),
    fc.array(stage, { maxLength: 3 }),
    fc.constantFrom("[1m]", "[90s]", "[10s]", "[2m] offset 30s"),
  )
  .map(([outer, op, stages, range]) => `${outer} (${op}({app=~".+"} ${stages.join(" ")} ${range}))`);
const logQuery = fc.array(stage, { maxLength: 3 }).map((stages) => `{app=~".+"} ${stages.join(" ")}`);

test("what a store filters and counts is what the engine would", () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(logRow, { maxLength: 12, selector: ({ timeNs }) => timeNs }),
      fc.oneof(aggregation, logQuery),
      fc.constantFrom(MINUTE_NS, 25_000_000_000n),
      async (rows, query, stepNs) => {
        const store = await storeOf(rows);
        const plain: LogReader = { select: (request, signal) => store.select(request, signal) };
        expect(await ask(counting(store), query, stepNs)).toEqual(await ask(plain, query, stepNs));
      },
    ),
    { numRuns: rounds(250) },
  ));

describe("of the embedded store, with rows in files and in memory", () => {
  const ROWS = 400;
  const QUERIES = 60;
  let dir: string;
  let store: EmbeddedLogStore;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "sightline-pushed-down-"));
    store = new EmbeddedLogStore({
      dir,
      config: embeddedLogsConfig.parse({ retention: "100y" }),
      logger: SILENT_LOGGER,
      registry: new Registry(),
      nowMs: () => 400_000,
    });
    await store.start();
    const unique = new Map(fc.sample(logRow, { numRuns: ROWS, seed: 1 }).map((row) => [row.timeNs, row]));
    const rows = [...unique.values()];
    // Some in files, some in memory.
    for (const [i, part] of [rows.slice(0, 150), rows.slice(150, 300), rows.slice(300)].entries()) {
      await store.append(DEFAULT_TENANT, logBatchOf(part), i + 1);
      if (i < 2) await store.flush();
    }
  });
  afterAll(async () => {
    await store.stop();
    await rm(dir, { recursive: true });
  });

  test.each(fc.sample(fc.oneof(aggregation, logQuery), { numRuns: QUERIES, seed: 2 }))("%s", async (query) => {
    /** Gives every row of the streams, and leaves all else to the engine. */
    const plain: LogReader = {
      select: ({ tenant, range, matchers, newestFirst }, signal) => ({
        exact: false,
        batches: store.select(
          { tenant, range, matchers, newestFirst, line: [], limit: Number.MAX_SAFE_INTEGER },
          signal,
        ).batches,
      }),
    };
    expect(await ask(store, query)).toEqual(await ask(plain, query));
  });
});

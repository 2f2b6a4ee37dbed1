import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { LogRequest } from "@sightline/model/log-store.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf, logRowsOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { type SpanRow, spanBatchOf, spanRowsOf } from "@sightline/storage-conformance/span-batch-of.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { embeddedLogsConfig, embeddedTracesConfig } from "../config.ts";
import { EmbeddedLogStore } from "../logs/embedded-log-store.ts";
import { EmbeddedTraceStore } from "../traces/embedded-trace-store.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const T = BigInt(NOW_MS) * 1_000_000n;
const on = new AbortController().signal;
/** A busy machine may need so long for what happens by itself. */
const LONG = { timeout: 30_000 };

let dir: string;
let nowMs: number;
let registry: Registry;
const opened: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "segments-"));
  nowMs = NOW_MS;
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.stop();
  await rm(dir, { recursive: true });
});

async function openLogs(config: Parameters<typeof embeddedLogsConfig.parse>[0] = {}): Promise<EmbeddedLogStore> {
  registry = new Registry();
  const parsed = embeddedLogsConfig.parse(config);
  const store = new EmbeddedLogStore({ dir, config: parsed, logger: SILENT_LOGGER, registry, nowMs: () => nowMs });
  await store.start();
  opened.push(store);
  return store;
}

let position = 0;
async function write(store: EmbeddedLogStore, rows: readonly LogRow[], tenant = DEFAULT_TENANT): Promise<void> {
  await store.append(tenant, logBatchOf(rows), ++position);
  await store.flush();
}

async function select(store: EmbeddedLogStore, request: Partial<LogRequest> = {}): Promise<Required<LogRow>[]> {
  const range = { startNs: 0n, endNs: 2n ** 63n };
  const all = { tenant: DEFAULT_TENANT, range, matchers: [], line: [], newestFirst: false, limit: 1_000_000 };
  const rows: Required<LogRow>[] = [];
  for await (const batch of store.select({ ...all, ...request }, on).batches) rows.push(...logRowsOf(batch));
  return rows;
}

const segmentFiles = async () => (await readdir(join(dir, "segments"))).filter((name) => name.endsWith(".parquet"));
const metric = async (name: string) =>
  (await registry.getSingleMetric(`sightline_logs_store_${name}`)?.get())?.values[0]?.value;

describe("compaction", () => {
  const rowOf = (i: number): LogRow => ({
    timeNs: T + BigInt(i),
    body: `line ${i}`,
    labels: { app: `a${i % 3}`, "it's": "a 'label'" },
    traceId: i % 2 === 0 ? `${i}`.padStart(32, "a") : `odd ${i}`,
    attributes: [
      { name: "common", type: "int", value: `${i}` },
      { name: `rare-${i}`, type: "string", value: "x" },
      { name: `rarer-${i}`, type: "json", value: "[1]" },
    ],
  });

  test("merges small segments of a day into one that gives the same answers", async () => {
    const store = await openLogs({ max_attribute_columns: 4 });
    const rows = Array.from({ length: 6 }, (_, i) => rowOf(i));
    for (const row of rows) await write(store, [row]);
    const yesterday = { timeNs: T - BigInt(DAY_MS) * 1_000_000n, body: "yesterday" };
    await write(store, [yesterday]);
    await write(store, [rowOf(0)], tenantId("other"));
    const before = await select(store);
    const streams = (request = {}) =>
      store.streams({ tenant: DEFAULT_TENANT, range: { startNs: T, endNs: T + 3n }, matchers: [], ...request }, on);
    const streamsBefore = await streams();
    expect(await segmentFiles()).toHaveLength(8);
    await store.maintain();
    await vi.waitFor(async () => expect((await segmentFiles()).length).toBeLessThan(8), LONG);
    expect(await select(store)).toEqual(before);
    expect(new Set(await streams())).toEqual(new Set(streamsBefore));
    expect(await select(store, { matchers: [{ name: "app", op: "=", value: "a1" }] })).toEqual(
      before.filter(({ labels }) => labels.app === "a1"),
    );
    expect(await select(store, { tenant: tenantId("other") })).toHaveLength(1);
    await vi.waitFor(async () => expect(await metric("compactions_total")).toBeGreaterThan(0), LONG);
  });

  test("keeps the old files until queries that began before it are done", async () => {
    const store = await openLogs();
    for (let i = 0; i < 4; i++) await write(store, [rowOf(i)]);
    const request = { tenant: DEFAULT_TENANT, range: { startNs: 0n, endNs: 2n ** 63n }, matchers: [], line: [] };
    const batches = store.select({ ...request, newestFirst: true, limit: 10 }, on).batches[Symbol.asyncIterator]();
    const rows = logRowsOf((await batches.next()).value);
    await store.maintain();
    await write(store, [rowOf(9)]);
    for (let next = await batches.next(); !next.done; next = await batches.next()) rows.push(...logRowsOf(next.value));
    expect(rows.map(({ body }) => body)).toEqual(["line 3", "line 2", "line 1", "line 0"]);
    await vi.waitFor(async () => expect(await segmentFiles()).toHaveLength(2), LONG);
  });

  test("leaves segments alone that are large enough", async () => {
    const store = await openLogs({ compaction: { target_rows: 3 } });
    for (let i = 0; i < 4; i++) await write(store, [rowOf(4 * i), rowOf(4 * i + 1), rowOf(4 * i + 2)]);
    await store.maintain();
    expect(await segmentFiles()).toHaveLength(4);
  });

  test("merges segments of spans", async () => {
    const config = embeddedTracesConfig.parse({ max_attribute_columns: 1 });
    const store = new EmbeddedTraceStore({
      dir,
      config,
      logger: SILENT_LOGGER,
      registry: new Registry(),
      nowMs: () => nowMs,
    });
    await store.start();
    opened.push(store);
    const rows = Array.from({ length: 8 }, (_, i): SpanRow => {
      const id = (i % 3) + 1;
      return {
        traceId: `${id}`.padStart(32, "f"),
        spanId: `${i + 1}`.padStart(16, "0"),
        startNs: T + BigInt(i),
        name: `op ${i}`,
        resource: [{ name: "service.name", type: "string", value: `s${i % 2}` }],
        attributes: [{ name: `k${i % 4}`, type: "int", value: `${i}` }],
        events: [{ timeNs: T, name: "e", attributes: [] }],
      };
    });
    for (const row of rows) {
      await store.append(DEFAULT_TENANT, spanBatchOf([row]), ++position);
      await store.flush();
    }
    const read = async () => {
      const traces = ["1", "2", "3", "4"].map((id) => store.trace(DEFAULT_TENANT, id.padStart(32, "f"), on));
      const spans = (await Promise.all(traces)).map((batches) => batches.flatMap(spanRowsOf));
      return spans.map((trace) => trace.sort((a, b) => Number(a.startNs - b.startNs)));
    };
    const before = await read();
    await store.maintain();
    await vi.waitFor(async () => expect((await segmentFiles()).length).toBeLessThan(8), LONG);
    expect(await read()).toEqual(before);
    expect(before.map(({ length }) => length)).toEqual([3, 3, 2, 0]);
    expect(await store.services(DEFAULT_TENANT, on)).toEqual(["s0", "s1"]);
    expect(await store.operations(DEFAULT_TENANT, "s1", on)).toHaveLength(4);
  });
});

describe("retention", () => {
  test("drops segments whose last row has become too old", async () => {
    const store = await openLogs({ retention: "2d" });
    await write(store, [{ timeNs: T - BigInt(DAY_MS) * 1_000_000n, body: "old" }]);
    await write(store, [{ timeNs: T, body: "new" }]);
    nowMs += 1.5 * DAY_MS;
    await store.maintain();
    expect((await select(store)).map(({ body }) => body)).toEqual(["new"]);
    expect(await segmentFiles()).toHaveLength(1);
    expect(await metric("expired_rows_total")).toBe(1);
  });
});

describe("damage", () => {
  async function twoSegments(): Promise<void> {
    const store = await openLogs();
    await write(store, [{ timeNs: T, body: "first" }]);
    await write(store, [{ timeNs: T + 1n, body: "second" }]);
    await store.stop();
  }

  test.each([
    ["1.parquet", "a flipped byte", (bytes: Buffer) => bytes.fill((bytes[8] as number) ^ 1, 8, 9)],
    ["1.parquet", "a torn end", (bytes: Buffer) => bytes.subarray(0, -100)],
    ["1.index", "a flipped byte", (bytes: Buffer) => bytes.fill((bytes[8] as number) ^ 1, 8, 9)],
    ["1.index", "nothing left", () => Buffer.alloc(0)],
  ])("of %s (%s) puts the segment into quarantine, and the others are served", async (name, _, damage) => {
    await twoSegments();
    const path = join(dir, "segments", name);
    await writeFile(path, damage(await readFile(path)));
    const store = await openLogs();
    expect((await select(store)).map(({ body }) => body)).toEqual(["second"]);
    expect((await readdir(join(dir, "quarantine"))).sort()).toEqual(["1.index", "1.parquet"]);
    expect(await metric("quarantined_segments_total")).toBe(1);
    await write(store, [{ timeNs: T + 2n, body: "third" }]);
    await store.stop();
    expect((await select(await openLogs())).map(({ body }) => body)).toEqual(["second", "third"]);
  });

  test("of a missing file is survived", async () => {
    await twoSegments();
    await rm(join(dir, "segments", "2.parquet"));
    expect((await select(await openLogs())).map(({ body }) => body)).toEqual(["first"]);
  });

  test("of the manifest is made good from its copy", async () => {
    await twoSegments();
    await writeFile(join(dir, "manifest.json"), "{}");
    expect(await select(await openLogs())).toHaveLength(2);
  });

  test("of the manifest and its copy stops the start, so that nothing is taken for lost and removed", async () => {
    await twoSegments();
    for (const name of ["manifest.json", "manifest.json.copy"]) await writeFile(join(dir, name), "{}");
    await expect(openLogs()).rejects.toThrow("manifest.json");
    expect(await segmentFiles()).toHaveLength(2);
  });

  test("files of a flush that was never finished are removed at the start", async () => {
    await twoSegments();
    await writeFile(join(dir, "segments", "77.parquet"), "half");
    await openLogs();
    expect((await segmentFiles()).sort()).toEqual(["1.parquet", "2.parquet"]);
  });
});

describe("rows in memory", () => {
  test("are flushed by themselves when there are many, and when they are old", async () => {
    const many = await openLogs({ flush: { max_rows: 10 } });
    await many.append(DEFAULT_TENANT, logBatchOf(Array.from({ length: 10 }, () => ({ timeNs: T }))), ++position);
    await vi.waitFor(() => expect(many.firstUnflushedPosition()).toBeUndefined(), LONG);
    await many.stop();
    const old = await openLogs({ flush: { max_age: "50ms" } });
    await old.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T }]), ++position);
    await vi.waitFor(() => expect(old.firstUnflushedPosition()).toBeUndefined(), LONG);
    expect(await select(old)).toHaveLength(11);
  });

  test("are flushed when there are some and no more have come for a moment", async () => {
    const store = await openLogs({ flush: { idle: "1ms", idle_rows: 2 } });
    await store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T }, { timeNs: T }]), ++position);
    await vi.waitFor(() => expect(store.firstUnflushedPosition()).toBeUndefined(), LONG);
    expect(await select(store)).toHaveLength(2);
  });

  test("are kept and served while they can't be written, and senders are told to wait when they are too many", async () => {
    const store = await openLogs({ flush: { max_backlog: 2 } });
    const segments = join(dir, "segments");
    await rm(segments, { recursive: true });
    await writeFile(segments, "not a directory");
    await store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body: "a" }, { timeNs: T }]), 1);
    await expect(store.flush()).rejects.toThrow();
    expect(await select(store)).toHaveLength(2);
    const refused = store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T }]), 2);
    await expect(refused).rejects.toThrow(UnavailableError);
    await expect(refused).rejects.toThrow("storage.logs.flush.max_backlog");
    expect(store.firstUnflushedPosition()).toBe(1);
    await rm(segments);
    await (await import("node:fs/promises")).mkdir(segments);
    await store.flush();
    expect((await stat(join(dir, "manifest.json"))).isFile()).toBe(true);
    expect(await select(store)).toHaveLength(2);
    expect(store.firstUnflushedPosition()).toBeUndefined();
  });

  test("can't be written to a store that is not running", async () => {
    const store = await openLogs();
    await store.stop();
    await expect(store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T }]), ++position)).rejects.toThrow(
      UnavailableError,
    );
  });
});

test("SQL of the database can reach no file outside the directory of the store", async () => {
  const { DuckDatabase } = await import("./duck-database.ts");
  const database = await DuckDatabase.open({ dir, temporary: "tmp", memoryLimitBytes: 2 ** 26, threads: 1 });
  const run = async (sql: string) => {
    for await (const _ of database.stream(sql, [], on));
  };
  await run(`COPY (SELECT 1) TO '${dir}/inside.parquet'`);
  await expect(run("SELECT * FROM read_text('/etc/hostname')")).rejects.toThrow("disabled by configuration");
  await expect(run(`COPY (SELECT 1) TO '${dir}-outside.parquet'`)).rejects.toThrow("disabled by configuration");
  await expect(run("SET enable_external_access = true")).rejects.toThrow();
  await expect(run("INSTALL httpfs")).rejects.toThrow();
  database.close();
});

test("an abort interrupts a query that DuckDB is at", async () => {
  const { DuckDatabase } = await import("./duck-database.ts");
  const database = await DuckDatabase.open({ dir, temporary: "tmp", memoryLimitBytes: 2 ** 26, threads: 1 });
  const controller = new AbortController();
  const query = (async () => {
    const sql = "SELECT count(*) FROM range(10000000000) a WHERE a.range % 7 = 9";
    for await (const _ of database.stream(sql, [], controller.signal));
  })();
  setTimeout(() => controller.abort(new Error("enough")), 50);
  await expect(query).rejects.toThrow("enough");
  database.close();
});

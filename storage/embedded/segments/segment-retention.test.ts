import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { type SpanRow, spanBatchOf } from "@sightline/storage-conformance/span-batch-of.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { embeddedLogsConfig, embeddedTracesConfig } from "../config.ts";
import { EmbeddedLogStore } from "../logs/embedded-log-store.ts";
import { EmbeddedTraceStore } from "../traces/embedded-trace-store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Noon: all that is written in the hours before it is of one day. */
const NOON_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const OTHER = tenantId("other");
const on = new AbortController().signal;
/** A busy machine may need so long for what happens by itself. */
const LONG = { timeout: 30_000 };

let dir: string;
let nowMs: number;
let stop: (() => Promise<void>) | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "segment-retention-"));
  nowMs = NOON_MS;
});
afterEach(async () => {
  await stop?.();
  await rm(dir, { recursive: true });
});

async function openLogs(settings: Record<string, unknown>): Promise<EmbeddedLogStore> {
  const config = embeddedLogsConfig.parse({ retention: "10d", ...settings });
  const registry = new Registry();
  const store = new EmbeddedLogStore({ dir, config, logger: SILENT_LOGGER, registry, nowMs: () => nowMs });
  await store.start();
  stop = () => store.stop();
  return store;
}

const ns = (ms: number) => BigInt(ms) * 1_000_000n;
let position = 0;
const row = (app: string, hoursAgo: number): LogRow => {
  return { timeNs: ns(NOON_MS - hoursAgo * HOUR_MS), body: `${app} ${hoursAgo}`, labels: { app } };
};
async function write(store: EmbeddedLogStore, rows: readonly LogRow[], tenant = DEFAULT_TENANT) {
  const result = await store.append(tenant, logBatchOf(rows), ++position);
  await store.flush();
  return result;
}
async function bodies(store: EmbeddedLogStore, tenant = DEFAULT_TENANT): Promise<string[]> {
  const range = { startNs: 0n, endNs: 2n ** 63n };
  const request = { tenant, range, matchers: [], line: [], newestFirst: false, limit: 1_000 };
  const found: string[] = [];
  for await (const batch of store.select(request, on).batches) found.push(...batch.bodies);
  return found.sort();
}
async function apps(store: EmbeddedLogStore): Promise<string[]> {
  const range = { startNs: 0n, endNs: 2n ** 63n };
  const streams = await store.streams({ tenant: DEFAULT_TENANT, range, matchers: [] }, on);
  return streams.map(({ labels }) => labels[0]?.[1] ?? "").sort();
}
const files = async () => (await readdir(join(dir, "segments"))).filter((name) => name.endsWith(".parquet"));

const RULES = [
  { selector: '{app="debug"}', keep: "1d" },
  { selector: '{app=~"audit|debug"}', keep: "30d" },
];

test("the first rule that a stream meets says how long it is kept, whatever else is in its file", async () => {
  const store = await openLogs({ retention_rules: RULES });
  await write(store, [row("debug", 1), row("web", 1), row("audit", 1)]);
  nowMs += DAY_MS + HOUR_MS;
  expect([await bodies(store), await apps(store)]).toEqual([
    ["audit 1", "web 1"],
    ["audit", "web"],
  ]);
  await store.maintain();
  await vi.waitFor(async () => expect(await files()).toHaveLength(1), LONG);
  expect(await bodies(store)).toEqual(["audit 1", "web 1"]);
  nowMs += 10 * DAY_MS;
  await store.maintain();
  expect(await bodies(store)).toEqual(["audit 1"]);
  nowMs += 20 * DAY_MS;
  await store.maintain();
  await vi.waitFor(async () => expect([await bodies(store), await files()]).toEqual([[], []]), LONG);
});

test("a stream goes from a file when all that the file has of it is too old", async () => {
  const store = await openLogs({ retention_rules: RULES });
  await write(store, [row("debug", 10), row("debug", 1), row("web", 1)]);
  nowMs += DAY_MS - 2 * HOUR_MS;
  await store.maintain();
  expect(await bodies(store)).toEqual(["debug 1", "debug 10", "web 1"]);
  nowMs += 2 * HOUR_MS;
  await store.maintain();
  expect(await bodies(store)).toEqual(["web 1"]);
});

test("records are refused only when no rule could keep them", async () => {
  const store = await openLogs({ retention_rules: RULES });
  expect(await write(store, [row("audit", 29 * 24), row("audit", 31 * 24)])).toMatchObject({
    accepted: 1,
    rejected: [{ reason: "too_old", count: 1 }],
  });
});

test("a tenant may have its own, read again when they change, and a wrong file changes nothing", async () => {
  const path = join(dir, "tenants.yaml");
  await writeFile(path, 'other: { retention_rules: [ { selector: "{app=\\"web\\"}", keep: 2h } ] }\n');
  const store = await openLogs({ retention_overrides_file: path });
  await write(store, [row("web", 1), row("db", 1)]);
  await write(store, [row("web", 1), row("db", 1)], OTHER);
  nowMs += 2 * HOUR_MS;
  await store.maintain();
  expect([await bodies(store), await bodies(store, OTHER)]).toEqual([["db 1", "web 1"], ["db 1"]]);
  await writeFile(path, "default: { retention: soon }\n");
  await store.maintain();
  expect(await bodies(store)).toEqual(["db 1", "web 1"]);
  await writeFile(path, "default: { retention: 90m }\n");
  await store.maintain();
  expect([await bodies(store), await bodies(store, OTHER)]).toEqual([[], ["db 1"]]);
});

test("a wrong file is an error at the start, naming the tenant and the key", async () => {
  const path = join(dir, "tenants.yaml");
  await writeFile(path, "shop: { retention: soon, retention_rules: [ { selector: '{', keep: 1d } ] }\n");
  await expect(openLogs({ retention_overrides_file: path })).rejects.toThrow(
    /shop\.retention: .*\n.*shop\.retention_rules\.0\.selector/,
  );
});

test("spans are kept by attributes of their resource", async () => {
  const retention_rules = [{ selector: '{"service.name"="noisy"}', keep: "1d" }];
  const config = embeddedTracesConfig.parse({ retention: "10d", retention_rules });
  const options = { dir, config, logger: SILENT_LOGGER, registry: new Registry(), nowMs: () => nowMs };
  const store = new EmbeddedTraceStore(options);
  await store.start();
  stop = () => store.stop();
  const span = (service: string, id: number): SpanRow => ({
    traceId: String(id).repeat(32),
    spanId: String(id).repeat(16),
    startNs: ns(NOON_MS - HOUR_MS),
    resource: [{ name: "service.name", type: "string", value: service }],
  });
  await store.append(DEFAULT_TENANT, spanBatchOf([span("noisy", 1), span("shop", 2)]), ++position);
  await store.flush();
  nowMs += DAY_MS + HOUR_MS;
  await store.maintain();
  expect(await store.trace(DEFAULT_TENANT, "1".repeat(32), on)).toEqual([]);
  expect(await store.trace(DEFAULT_TENANT, "2".repeat(32), on)).toHaveLength(1);
  expect(await store.services(DEFAULT_TENANT, on)).toEqual(["shop"]);
});

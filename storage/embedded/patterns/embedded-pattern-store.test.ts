import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_SCOPE } from "@sightline/model/attributes.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { embeddedPatternsConfig } from "../config.ts";
import { EmbeddedPatternStore, type EmbeddedPatternStoreOptions } from "./embedded-pattern-store.ts";

const NOW_MS = 1_700_000_000_000;
const NEVER = new AbortController().signal;
let dir: string;
const started: EmbeddedPatternStore[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "sightline-patterns-"));
});
afterEach(async () => {
  for (const store of started.splice(0)) await store.stop();
  await rm(dir, { recursive: true });
});

type Settings = Parameters<typeof embeddedPatternsConfig.parse>[0];

async function open(settings: Settings = {}, other: Partial<EmbeddedPatternStoreOptions> = {}) {
  const store = new EmbeddedPatternStore({
    dir: join(dir, "patterns"),
    config: embeddedPatternsConfig.parse(settings),
    levels: (batch) => (row) => ((batch.severities[row] as number) >= 17 ? "error" : "info"),
    hasOlderLogs: false,
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs: () => NOW_MS,
    ...other,
  });
  await store.start();
  started.push(store);
  return store;
}

function batchOf(labels: Record<string, string>, bodies: readonly string[], severity = 9) {
  return logBatchOf(bodies.map((body) => ({ timeNs: BigInt(NOW_MS) * 1_000_000n, body, severity, labels })));
}

async function ask(
  store: EmbeddedPatternStore,
  matchers: readonly Matcher[] = [],
  agoMs = 60_000,
  tenant = DEFAULT_TENANT,
) {
  const range = { startNs: BigInt(NOW_MS - agoMs) * 1_000_000n, endNs: BigInt(NOW_MS + 60_000) * 1_000_000n };
  const { isComplete, patterns } = await store.patterns({ tenant, range, matchers }, NEVER);
  if (!isComplete) return undefined;
  return patterns
    .map(({ pattern, level, counts }) => `${level} ${pattern} ${counts.reduce((a, b) => a + b, 0)}`)
    .sort();
}

const is = (name: string, value: string): Matcher => ({ name, op: "=", value });

test("counts the lines of the streams that a selector selects, by level", async () => {
  const store = await open();
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart", pod: "a" }, ["took 10ms", "took 20ms"]), 1);
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart", pod: "b" }, ["took 30ms"], 17), 2);
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "shop", pod: "c" }, ["took 40ms", "left 1/2 of it"]), 3);
  expect(await ask(store, [is("service_name", "cart")])).toEqual(["error took <_> 1", "info took <_> 2"]);
  expect(await ask(store, [is("pod", "b")])).toEqual(["error took <_> 1"]);
  expect(await ask(store)).toEqual(
    ["error took <_> 1", "info left 1/2 of it 1", "info took <_> 3"].map((text) => text.replace("1/2", "<_>/<_>")),
  );
  expect(await ask(store, [], 60_000, tenantId("other"))).toBeUndefined();
});

test("what a snapshot has is not counted again from the log, what it lacks is", async () => {
  const before = await open();
  await before.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 10ms"]), 7);
  await before.flush();
  await before.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 20ms"]), 8);
  // Killed: nothing is written any more.
  const after = await open();
  expect(await ask(after)).toEqual(["info took <_> 1"]);
  await after.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 10ms"]), 7);
  await after.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 20ms"]), 8);
  await after.observe(DEFAULT_TENANT, batchOf({ service_name: "shop" }, ["took 30ms"]), 8);
  expect(await ask(after)).toEqual(["info took <_> 3"]);
});

test("stopping keeps everything", async () => {
  const before = await open();
  await before.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["user ada in", "user bob in"]), 1);
  await before.stop();
  const after = await open();
  await after.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["user ada in"]), 2);
  expect(await ask(after)).toEqual(["info user ada in 2", "info user bob in 1"]);
});

test("streams beyond the limit are counted together, and asking for one of them needs the lines", async () => {
  const store = await open({ max_streams_per_service: 2 });
  for (const [i, pod] of ["a", "b", "c", "d"].entries()) {
    await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart", env: "prod", pod }, ["took 1.5s"]), i + 1);
  }
  expect(await ask(store, [is("service_name", "cart")])).toEqual(["info took <_> 4"]);
  expect(await ask(store, [is("env", "prod")])).toEqual(["info took <_> 4"]);
  expect(await ask(store, [is("env", "test")])).toEqual([]);
  expect(await ask(store, [is("pod", "c")])).toBeUndefined();
  expect(await ask(store, [is("env", "test"), is("pod", "c")])).toEqual([]);
  await store.stop();
  expect(await ask(await open({ max_streams_per_service: 2 }), [is("pod", "c")])).toBeUndefined();
});

test("the longest unused patterns go when there are too many", async () => {
  let nowMs = NOW_MS;
  const registry = new Registry();
  const store = await open({ max_templates: 100 }, { nowMs: () => nowMs, registry });
  const letters = "abcdefghijklmnopqrstuvwxyz";
  for (let i = 0; i < 150; i++) {
    nowMs++;
    const line = `${letters[i % 26]}${letters[Math.floor(i / 26)]}${"(".repeat(i + 1)}`;
    await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, [line]), i);
  }
  const text = await registry.metrics();
  expect(text).toMatch(/sightline_log_patterns (9\d|100)\n/);
  expect(text).toMatch(/sightline_log_patterns_evicted_total (5\d|6\d)\n/);
  const [part] = store.memoryParts;
  part?.shrink?.();
  expect(await registry.metrics()).toMatch(/sightline_log_patterns (4\d|50)\n/);
});

test("a tenant with ever new services and lines costs others nothing, and takes bounded memory", async () => {
  const registry = new Registry();
  const store = await open({ max_templates: 200 }, { registry });
  const quiet = tenantId("quiet");
  await store.observe(quiet, batchOf({ service_name: "cart" }, ["took 1.5s"]), 1);
  const rows = Array.from({ length: 30_000 }, (_, i) => ({
    timeNs: BigInt(NOW_MS) * 1_000_000n,
    body: `${"(".repeat(i % 900)}x`,
    severity: 9,
    labels: { service_name: `s${i}` },
  }));
  const streams = rows.map(({ labels }) => ({
    labels: [["service_name", labels.service_name] as const],
    resource: [],
    scope: NO_SCOPE,
  }));
  const batch = { ...logBatchOf([{ timeNs: 0n }]), length: rows.length, streams };
  await store.observe(
    DEFAULT_TENANT,
    {
      ...batch,
      streamRefs: Uint32Array.from(rows.keys()),
      timesNs: BigInt64Array.from(rows, ({ timeNs }) => timeNs),
      severities: new Uint8Array(rows.length).fill(9),
      bodies: rows.map(({ body }) => body),
    },
    2,
  );
  expect(await registry.metrics()).toMatch(/sightline_log_patterns (1\d\d|200)\n/);
  expect(await ask(store, [], 60_000, quiet)).toEqual(["info took <_> 1"]);
  expect(await ask(store)).toBeUndefined();
});

test("a service that was let go makes answers about its time incomplete", async () => {
  const store = await open();
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 1.5s"]), 1);
  await store.forget({ tenant: DEFAULT_TENANT, matchers: [is("service_name", "cart")] });
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "shop" }, ["took 1.5s"]), 2);
  expect(await ask(store)).toBeUndefined();
  const later = await open();
  expect(await ask(later)).toBeUndefined();
});

test("lines of before it was there are known to be missing", async () => {
  const store = await open({}, { hasOlderLogs: true });
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 1.5s"]), 1);
  expect(await ask(store)).toBeUndefined();
  expect(await ask(store, [], 0)).toEqual(["info took <_> 1"]);
});

test("lines unlike those before are not looked at without end", async () => {
  const registry = new Registry();
  const store = await open({ max_new_lines_per_second: 2 }, { registry });
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["a", "b", "c", "a", "d"]), 1);
  expect(await ask(store)).toEqual(["info a 2", "info b 1"]);
  expect(await registry.metrics()).toContain("sightline_log_patterns_skipped_lines_total 2\n");
});

test("damaged files are put away, and patterns begin anew", async () => {
  const before = await open();
  await before.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 1.5s"]), 1);
  await before.stop();
  await writeFile(join(dir, "patterns", "default.patterns"), "junk");
  const after = await open();
  expect(await readdir(join(dir, "patterns"))).toEqual(["since"]);
  await after.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 1.5s"]), 2);
  expect(await ask(after)).toBeUndefined();
});

test("switched off it does nothing", async () => {
  const store = await open({ enabled: false });
  await store.observe(DEFAULT_TENANT, batchOf({ service_name: "cart" }, ["took 1.5s"]), 1);
  expect(await ask(store)).toBeUndefined();
});

test("after a restart lines join the patterns of before", async () => {
  const lines = (word: string) => [
    `12:30:59 10.0.0.1:80 <${word}> of v1 by ${word} went to the shop of the town`,
    `${word} ${"and so on ".repeat(60)}`,
    `panic: index out of ${word}\n goroutine 17`,
  ];
  const before = await open();
  await before.observe(DEFAULT_TENANT, batchOf({ service_name: "shop" }, lines("ann")), 1);
  await before.observe(DEFAULT_TENANT, batchOf({ service_name: "shop" }, lines("bob")), 2);
  const patterns = await ask(before);
  await before.stop();
  const after = await open();
  expect(await ask(after)).toEqual(patterns);
  await after.observe(DEFAULT_TENANT, batchOf({ service_name: "shop" }, [...lines("ann"), ...lines("bob")]), 3);
  const twice = patterns?.map((text) => text.replace(/\d+$/, (count) => String(2 * Number(count)))).sort();
  expect(await ask(after)).toEqual(twice);
});

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { EVERYTHING, NO_SIGNAL, requestOf, selectAll } from "@sightline/storage-conformance/metric-rows.ts";
import { describeMetricRetention } from "@sightline/storage-conformance/metric-store-retention.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { embeddedMetricsConfig } from "../../config.ts";
import { EmbeddedMetricStore } from "../embedded-metric-store.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Noon: all that is written in the hours before it is of one day. */
const NOW = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
const OTHER = tenantId("other");

let dir: string;
let nowMs: number;
const stores: EmbeddedMetricStore[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "retention-"));
  nowMs = NOW;
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.stop();
  await rm(dir, { recursive: true });
});

async function open(settings: Parameters<typeof embeddedMetricsConfig.parse>[0]): Promise<EmbeddedMetricStore> {
  const store = new EmbeddedMetricStore({
    dir: join(dir, "store"),
    config: embeddedMetricsConfig.parse(settings),
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs: () => nowMs,
  });
  await store.start();
  stores.push(store);
  return store;
}

let position = 0;
/** One sample at each of these hours before {@link NOW}. */
async function write(
  store: EmbeddedMetricStore,
  name: string,
  hours: readonly number[],
  tenant: TenantId = DEFAULT_TENANT,
) {
  const samples = hours.map((hour) => [NOW - hour * HOUR, hour] as const);
  await store.append(tenant, metricBatchOf([{ labels: { __name__: name }, samples }]), ++position);
}
/** Hours before {@link NOW} of what is found, by name. */
async function found(store: EmbeddedMetricStore, tenant: TenantId = DEFAULT_TENANT) {
  const slices = [...(await selectAll(store, { tenant })).values()];
  return Object.fromEntries(slices.map(({ labels, values }) => [labels[0]?.[1], Array.from(values)]));
}
const blockFiles = async () =>
  (await readdir(join(dir, "store", DEFAULT_TENANT))).filter((file) => file.endsWith(".block"));
async function pass(store: EmbeddedMetricStore, hours: number): Promise<void> {
  nowMs += hours * HOUR;
  await store.retire();
}

describeMetricRetention("EmbeddedMetricStore", async (settings, clock) => {
  const own = await mkdtemp(join(tmpdir(), "retention-"));
  const store = new EmbeddedMetricStore({
    dir: own,
    config: embeddedMetricsConfig.parse(settings),
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs: clock,
  });
  await store.start();
  return {
    store,
    tick: () => store.retire(),
    maintain: () => store.maintain(),
    dispose: async () => {
      await store.stop();
      await rm(own, { recursive: true });
    },
  };
});

test("blocks are written anew without series that are too old, and deleted when nothing is left", async () => {
  const store = await open({ retention: "1d", retention_rules: [{ selector: "long", keep: "30d" }] });
  await write(store, "long", [10]);
  await write(store, "short", [10]);
  await store.flush();
  const [before] = await blockFiles();
  await store.maintain();
  expect(await blockFiles()).toEqual([before]);
  await pass(store, 2 * 24);
  await store.maintain();
  const [after] = await blockFiles();
  expect(after).not.toBe(before);
  expect(await found(store)).toEqual({ long: [10] });
  expect(await store.series({ ...requestOf({}), range: EVERYTHING }, NO_SIGNAL)).toEqual([[["__name__", "long"]]]);
  await store.maintain();
  expect(await blockFiles()).toEqual([after]);
  await pass(store, 30 * 24);
  await store.maintain();
  expect(await blockFiles()).toEqual([]);
});

test("above the size the oldest blocks go, and are among the changes", async () => {
  const store = await open({ retention_bytes: "1" });
  await write(store, "a", [3 * 24, 1]);
  await store.flush();
  expect(await blockFiles()).toHaveLength(2);
  const version = await store.changes.version(DEFAULT_TENANT);
  await store.maintain();
  expect(await blockFiles()).toEqual([]);
  expect((await store.changes.since(DEFAULT_TENANT, version, EVERYTHING)).ranges.length).toBeGreaterThan(0);
});

describe("the overrides file", () => {
  const path = () => join(dir, "overrides.yaml");

  test("has other settings for a tenant, and is read again when it changes", async () => {
    await writeFile(path(), "other: { retention: 6h }");
    const store = await open({ retention: "12h", retention_overrides_file: path() });
    for (const tenant of [DEFAULT_TENANT, OTHER]) await write(store, "a", [5, 1], tenant);
    await write(store, "a", [10]);
    const version = await store.changes.version(OTHER);
    await pass(store, 1.1);
    expect([await found(store), await found(store, OTHER)]).toEqual([{ a: [10, 5, 1] }, { a: [1] }]);
    await writeFile(path(), `other: { retention: 12h, retention_rules: [{ selector: '{__name__="a"}', keep: 1d }] }`);
    await store.retire();
    expect(await found(store, OTHER)).toEqual({ a: [5, 1] });
    expect((await store.changes.since(OTHER, version, EVERYTHING)).ranges).toEqual([EVERYTHING]);
    for (const wrong of ["other: { retention: soon }", "other: [", "[]", "other: { keep: 1d }"]) {
      await writeFile(path(), wrong);
      await store.retire();
      expect(await found(store, OTHER)).toEqual({ a: [5, 1] });
    }
    await writeFile(path(), "");
    await store.retire();
    await pass(store, 9);
    expect(await found(store, OTHER)).toEqual({ a: [1] });
  });

  test.each([
    ["other: { retention: soon }", /other\.retention: "soon" is not a duration/],
    ["other: { retention_rules: [{ selector: '{', keep: 1d }] }", /retention_rules\.0\.selector: "\{" is no selector/],
    [
      "other: { downsampling: [{ resolution: 7m, after: 1d }] }",
      /other\.downsampling: each resolution must divide a day/,
    ],
    ["other: { keep: 1d }", /other: Unrecognized key/],
    ["[1]", /must be a map/],
    ["a: [", /overrides\.yaml/],
  ])("that is wrong stops the start: %s", async (text, message) => {
    await writeFile(path(), text);
    await expect(open({ retention_overrides_file: path() })).rejects.toThrow(message);
  });
});

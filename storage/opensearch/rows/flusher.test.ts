import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { openSearchConfig } from "../config.ts";
import { type FakeAnswer, FakeCluster, type SeenRequest } from "../connection/fake-cluster.ts";
import { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { LogCodec } from "../logs/log-codec.ts";
import { BulkWriter } from "./bulk-writer.ts";
import { Flusher } from "./flusher.ts";
import type { HotBatch } from "./hot-rows.ts";
import { IndexNames } from "./index-names.ts";
import { StoreMetrics } from "./store-metrics.ts";
import { WriterCheckpoint } from "./writer-checkpoint.ts";

const CODEC = new LogCodec({ search_context: false });
const STREAM = { labels: [], resource: [], scope: { name: "", version: "", schemaUrl: "", attributes: [] } };
const RECORD = {
  observedNs: 0n,
  stream: STREAM,
  severity: 0,
  severityText: "",
  traceId: "",
  spanId: "",
  attributes: [],
};

type Batch = ReturnType<LogCodec["batchOf"]>;

function hotBatch(position: number): HotBatch<Batch> {
  const timeNs = BigInt(position);
  const batch = CODEC.batchOf([{ ...RECORD, timeNs, body: `row ${position}` }]);
  const times = { minNs: timeNs, maxNs: timeNs, arrivedMs: 0, ingestedAtMs: 0 };
  return { tenant: tenantId("a"), batch, position, rows: Uint32Array.of(0), bytes: 1, ...times };
}

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

async function flusherOf(answer: (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>) {
  const cluster = await FakeCluster.start(answer);
  const config = openSearchConfig.parse({ nodes: [cluster.url], max_retries: 0 });
  const registry = new Registry();
  const connection = new OpenSearchConnection(config, registry);
  ended.push(async () => {
    await connection.close();
    await cluster.stop();
  });
  const names = new IndexNames("logs", config);
  const flusher = new Flusher<Batch, ReturnType<LogCodec["rowAt"]>>({
    connection,
    names,
    bulk: new BulkWriter({ connection, config: config.bulk }),
    checkpoint: new WriterCheckpoint(connection, names, "logs", "w1"),
    codec: CODEC,
    writer: "w1",
    logger: SILENT_LOGGER,
    metrics: new StoreMetrics(registry, "logs"),
  });
  return { flusher, cluster };
}

/** Batches one at a time, as a store hands them out. */
function sourceOf(positions: readonly number[]) {
  const left = positions.map(hotBatch);
  const done: number[] = [];
  return {
    left,
    done,
    next: (skipped: number) => left.slice(skipped, skipped + 1),
    portionDone: () => done.push((left.shift() as HotBatch<Batch>).position),
  };
}

test("a portion is sent while the one before is made visible, and noted after it", async () => {
  const { promise: sentTwice, resolve } = Promise.withResolvers<void>();
  let bulks = 0;
  const { flusher, cluster } = await flusherOf(async ({ path }) => {
    if (path.startsWith("/_bulk") && ++bulks === 2) resolve();
    // The first one is not visible before the second is under way.
    if (path.endsWith("/_refresh")) await sentTwice;
    return { body: { errors: false, items: [] } };
  });
  const source = sourceOf([1, 2, 3]);
  await flusher.write({ next: source.next, done: source.portionDone });
  expect(source.done).toEqual([1, 2, 3]);
  const notes = cluster.seen.filter(({ method }) => method === "PUT").map(({ body }) => JSON.parse(body).position);
  expect(notes).toEqual([1, 2, 3]);
});

test("a portion that can't be made visible is not noted, nor the one after it", async () => {
  const { flusher, cluster } = await flusherOf(({ path }) =>
    path.endsWith("/_refresh") ? { status: 500 } : { body: { errors: false, items: [] } },
  );
  const source = sourceOf([1, 2]);
  await expect(flusher.write({ next: source.next, done: source.portionDone })).rejects.toThrow(/refresh: 500/);
  expect(source.done).toEqual([]);
  expect(cluster.seen.some(({ method }) => method === "PUT")).toBe(false);
});

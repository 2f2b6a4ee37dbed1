/**
 * How fast rows get into OpenSearch and out again:
 *
 *     node storage/opensearch/logs/log-store.bench.ts URL [ROWS]
 *
 * Makes indexes of its own and drops them.
 */
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { openSearchConfig } from "../config.ts";
import { OpenSearchLogStore } from "./open-search-log-store.ts";

const [url = "http://127.0.0.1:9200", rowsText = "100000"] = process.argv.slice(2);
const ROWS = Number(rowsText);
const BATCH_ROWS = 500;
const TENANT = tenantId("bench");
const BEGIN_NS = BigInt(Date.now() - 3_600_000) * 1_000_000n;
const WORDS =
  "request completed user login failed timeout connection refused cache miss query slow retry payment".split(" ");
const DAY_MS = 86_400_000;

let seed = 1;
const random = (n: number) => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return (seed >>> 8) % n;
};

/** Of twenty pods: ten resource attributes, five labels, eight attributes, about 120 bytes of body. */
function batchOf(first: number): LogBatch {
  const pod = random(20);
  const labels = {
    app: "shop",
    container: "main",
    namespace: `ns-${pod % 4}`,
    pod: `shop-${pod}`,
    service_name: "shop",
  };
  const resource = [
    ...Object.entries(labels),
    ...Object.entries({ "host.name": `node-${pod % 7}`, "k8s.uid": `u${pod}` }),
  ];
  const rows = Array.from({ length: BATCH_ROWS }, (_, i) => first + i);
  const column = (name: string, values: readonly string[]) => ({ name, type: "string" as const, values });
  return {
    length: BATCH_ROWS,
    streams: [
      {
        labels: Object.entries(labels),
        resource: resource.map(([name, value]) => ({ name: name.replace("_", "."), type: "string" as const, value })),
        scope: { name: "bench", version: "1", attributes: [], schemaUrl: "" },
      },
    ],
    streamRefs: new Uint32Array(BATCH_ROWS),
    timesNs: BigInt64Array.from(rows, (row) => BEGIN_NS + BigInt(row) * 1_000_000n),
    observedNs: new BigInt64Array(BATCH_ROWS),
    severities: Uint8Array.from(rows, () => [9, 9, 9, 13, 17][random(5)] as number),
    severityTexts: rows.map(() => "INFO"),
    bodies: rows.map(
      (row) =>
        `${Array.from({ length: 12 }, () => WORDS[random(WORDS.length)]).join(" ")} id=${row} ms=${random(5_000)}`,
    ),
    traceIds: rows.map((row) =>
      (BigInt(row + 1) * 0x9e3779b97f4a7c15f39cc060n).toString(16).padStart(32, "0").slice(-32),
    ),
    spanIds: rows.map((row) => (row + 1).toString(16).padStart(16, "0")),
    attributes: [
      column(
        "http.method",
        rows.map(() => ["GET", "POST"][random(2)] as string),
      ),
      column(
        "http.route",
        rows.map(() => `/api/items/${random(30)}`),
      ),
      column(
        "http.status_code",
        rows.map(() => ["200", "404", "500"][random(3)] as string),
      ),
      column(
        "user.id",
        rows.map(() => `u${random(100_000)}`),
      ),
      column(
        "thread",
        rows.map(() => `t${random(64)}`),
      ),
      column(
        "order.id",
        rows.map((row) => `o${row}`),
      ),
      column(
        "duration_ms",
        rows.map(() => `${random(5_000)}`),
      ),
      column(
        "cart.size",
        rows.map(() => `${random(20)}`),
      ),
    ],
  };
}

async function timed(name: string, work: () => Promise<number>): Promise<void> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const rows = await work();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round((rows / ms) * 1_000);
  process.stdout.write(
    `${name}: ${rows} rows, ${ms.toFixed(0)} ms, ${rate} rows/s, own CPU ${((user + system) / 1e6).toFixed(1)} s\n`,
  );
}

const config = openSearchConfig.parse({ nodes: [url], prefix: `bench${process.pid}`, replicas: 0 });
const limits = { retention: DAY_MS, max_future: DAY_MS, deletion_grace: DAY_MS };
const store = new OpenSearchLogStore({
  config,
  limits,
  writer: "bench",
  logger: SILENT_LOGGER,
  registry: new Registry(),
});
await store.start();
const on = new AbortController().signal;
const range = { startNs: BEGIN_NS, endNs: BEGIN_NS + BigInt(ROWS) * 1_000_000n };
try {
  let position = 0;
  const write = async (count: number) => {
    for (let row = 0; row < count; row += BATCH_ROWS) {
      const batch = batchOf(row);
      while (!(await store.append(TENANT, batch, ++position).catch(() => undefined))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    await store.flush();
    return count;
  };
  await timed("warm-up", () => write(Math.min(ROWS, 20_000)));
  await timed("write", () => write(ROWS));
  const read = async (name: string, request: object) => {
    for (let i = 0; i < 2; i++) {
      await timed(name, async () => {
        let rows = 0;
        const all = { tenant: TENANT, range, matchers: [], line: [], newestFirst: true, limit: 1_000 };
        for await (const { length } of store.select({ ...all, ...request }, on).batches) rows += length;
        return rows;
      });
    }
  };
  await read("newest 1,000 rows", {});
  await read("newest 1,000 rows of a pod", { matchers: [{ name: "pod", op: "=", value: "shop-3" }] });
  await read("rows with a word", { line: [{ op: "|=", text: `id=${ROWS - 7} ` }] });
  await read("rows with part of a word", { line: [{ op: "|=", text: "meou" }] });
  await read("everything", { limit: Number.MAX_SAFE_INTEGER });
  await timed("streams", async () => (await store.streams({ tenant: TENANT, range, matchers: [] }, on)).length);
} finally {
  await store.stop();
  for (const path of [`_data_stream/${config.prefix}-*`, `${config.prefix}-*`, `_index_template/${config.prefix}-*`]) {
    await fetch(`${url}/${path}`, { method: "DELETE" });
  }
}

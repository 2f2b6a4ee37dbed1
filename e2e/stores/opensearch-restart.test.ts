import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type LogRow, logRowsOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { append, HOUR, on, T } from "@sightline/storage-conformance/log-store-fixture.ts";
import { spanBatchOf } from "@sightline/storage-conformance/span-batch-of.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import { OpenSearchTraceStore } from "@sightline/storage-opensearch/traces/open-search-trace-store.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { OpenSearchService } from "../services/opensearch.ts";
import { OpenSearchStores } from "./opensearch-fixtures.ts";

const missing = OpenSearchService.missing();
const TRACE = "0123456789abcdef0123456789abcdef";
const RANGE = { startNs: T - HOUR, endNs: T + HOUR };
const ALL = { tenant: DEFAULT_TENANT, range: RANGE, matchers: [], line: [] };
/** Three pages. */
const ROWS = Array.from({ length: 3_000 }, (_, i): LogRow => {
  return { timeNs: T + BigInt(i), body: `line ${i}`, labels: { app: `app-${i % 3}` } };
});

/** A node of its own, because it is restarted. */
describe.skipIf(missing !== undefined)("while a single node of OpenSearch restarts", () => {
  let node: OpenSearchService;
  let logs: OpenSearchLogStore;
  let traces: OpenSearchTraceStore;

  beforeAll(async () => {
    node = await OpenSearchService.start();
    const stores = new OpenSearchStores(node.url, { restart_wait: "1h" });
    logs = new OpenSearchLogStore(stores.options());
    traces = new OpenSearchTraceStore(stores.options());
    await Promise.all([logs.start(), traces.start()]);
    await append(logs, ROWS);
    const resource = [{ name: "service.name", type: "string" as const, value: "shop" }];
    const spans = spanBatchOf([{ traceId: TRACE, spanId: "00000000000000aa", startNs: T, resource }]);
    await traces.append(DEFAULT_TENANT, spans, 1);
    await Promise.all([logs.flush(), traces.flush()]);
  }, 1_200_000);
  afterAll(async () => {
    await Promise.all([logs?.stop(), traces?.stop()]);
    await node?.dispose();
  });

  const selected = () => logs.select({ ...ALL, newestFirst: false, limit: ROWS.length }, on).batches;

  test("queries wait, and get the whole answer", async () => {
    await node.kill();
    const answers = Promise.all([
      bodiesOf(selected()),
      logs.streams(ALL, on),
      logs.counts({ ...ALL, by: ["app"], bucketNs: 10n * HOUR, withBytes: false, maxGroups: 10 }, on),
      traces.trace(DEFAULT_TENANT, TRACE, on),
      traces.services(DEFAULT_TENANT, on),
    ]);
    // It fails later, if at all.
    answers.catch(() => {});
    await node.start();
    const [bodies, streams, counted, trace, services] = await answers;
    expect(bodies).toEqual(ROWS.map(({ body }) => body));
    expect(streams).toHaveLength(3);
    expect(counted?.map(({ counts }) => [...counts])).toEqual([[1_000], [1_000], [1_000]]);
    expect(trace.map(({ length }) => length)).toEqual([1]);
    expect(services).toEqual(["shop"]);
  });

  test("one that has part of its rows gets the others, each once", async () => {
    const batches = selected()[Symbol.asyncIterator]();
    const bodies: string[] = [];
    // The second page is of a point in time, of which the node knows nothing any more when it comes back.
    for (let page = 0; page < 2; page++) bodies.push(...((await batches.next()).value?.bodies ?? []));
    expect(bodies.length).toBeLessThan(ROWS.length);
    await node.kill();
    await node.start();
    bodies.push(...(await bodiesOf({ [Symbol.asyncIterator]: () => batches })));
    expect(bodies).toEqual(ROWS.map(({ body }) => body));
  });
});

async function bodiesOf(batches: ReturnType<OpenSearchLogStore["select"]>["batches"]): Promise<readonly string[]> {
  const bodies: string[] = [];
  for await (const batch of batches) bodies.push(...logRowsOf(batch).map(({ body }) => body));
  return bodies;
}

import type { LogRequest } from "@sightline/model/log-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { ReferenceLogStore } from "@sightline/storage-conformance/reference-log-store.ts";
import { expect, test } from "vitest";
import { queryConfig } from "../config.ts";
import { LogqlEngine } from "./logql-engine.ts";
import type { LogqlRangeQuery } from "./logql-query.ts";

const { logs: LIMITS } = queryConfig.parse({});
const RANGE: LogqlRangeQuery = {
  tenant: DEFAULT_TENANT,
  startNs: 0n,
  endNs: 1_000_000n,
  stepNs: 1_000_000_000n,
  intervalNs: 0n,
  limit: 100,
  newestFirst: false,
  signal: new AbortController().signal,
};

async function storeOf(rows: readonly LogRow[]): Promise<ReferenceLogStore> {
  const store = new ReferenceLogStore();
  await store.append(DEFAULT_TENANT, logBatchOf(rows));
  return store;
}

/** A store that leaves line filters and limit to the engine. */
function inexact(store: ReferenceLogStore) {
  return {
    select: (request: LogRequest, signal: AbortSignal) => ({
      exact: false,
      batches: store.select({ ...request, line: [], limit: Number.MAX_SAFE_INTEGER }, signal).batches,
    }),
  };
}

const rows = Array.from({ length: 5_000 }, (_, i) => ({
  timeNs: BigInt(i),
  body: i % 7 === 0 ? `GET /${i} 500` : `GET /${i} 200`,
  labels: { app: "web" },
}));

test.each([
  ['{app="web"}', 5_000],
  ['{app="web"} |= " 500"', 715],
  ['{app="web"} |~ "/(7|14) " or "/21 "', 3],
  ['{app="web"} != "200" !~ "/.5"', 640],
])("%s: what the store leaves undone is done here", async (query, total) => {
  const store = await storeOf(rows);
  const exact = new LogqlEngine({ store, limits: LIMITS });
  const rechecking = new LogqlEngine({ store: inexact(store), limits: LIMITS });
  const options = { ...RANGE, limit: 5_000 };
  const [a, b] = [await exact.range(query, options), await rechecking.range(query, options)];
  expect(b.value).toEqual(a.value);
  expect(b.stats).toMatchObject({ linesProcessed: 5_000, linesMatched: total });
  const few = await rechecking.range(query, { ...RANGE, limit: 2, newestFirst: true });
  expect(few.value.type === "streams" && few.value.entries).toHaveLength(2);
});

test("a query that looks at too many records is stopped, naming the setting", async () => {
  const engine = new LogqlEngine({
    store: inexact(await storeOf(rows)),
    limits: { ...LIMITS, max_scanned_rows: 1_500 },
  });
  await expect(engine.range('{app="web"} |= "none"', RANGE)).rejects.toThrow("query.logs.max_scanned_rows");
});

test("stops when the client goes away", async () => {
  const client = new AbortController();
  client.abort(new Error("gone"));
  const engine = new LogqlEngine({ store: await storeOf(rows), limits: LIMITS });
  await expect(engine.range('{app="web"}', { ...RANGE, signal: client.signal })).rejects.toThrow("gone");
});

test("an empty range asks nobody", async () => {
  const engine = new LogqlEngine({
    store: {
      select: () => {
        throw new Error("asked");
      },
    },
    limits: LIMITS,
  });
  const { value } = await engine.range('{app="web"}', { ...RANGE, startNs: 5n, endNs: 5n });
  expect(value).toEqual({ type: "streams", entries: [] });
});

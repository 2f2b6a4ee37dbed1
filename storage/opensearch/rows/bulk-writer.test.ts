import { UnavailableError } from "@sightline/model/errors.ts";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { openSearchConfig } from "../config.ts";
import { type FakeAnswer, FakeCluster } from "../connection/fake-cluster.ts";
import { OpenSearchConnection } from "../connection/open-search-connection.ts";
import { type BulkItem, BulkWriter } from "./bulk-writer.ts";
import { createAction } from "./row-document.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type Outcome = { readonly status: number; readonly type?: string };

/** `outcome` says what becomes of an item, by its id and how often it was seen before. */
async function writer(
  outcome: (id: string, before: number) => Outcome,
  refuse?: (ids: readonly string[]) => FakeAnswer | undefined,
) {
  const seen = new Map<string, number>();
  const requests: string[][] = [];
  const cluster = await FakeCluster.start(({ body }) => {
    const ids = [...body.matchAll(/"_id":"(\w+)"/g)].map(([, id]) => id as string);
    requests.push(ids);
    const refusal = refuse?.(ids);
    if (refusal) return refusal;
    const items = ids.map((id) => {
      const before = seen.get(id) ?? 0;
      seen.set(id, before + 1);
      const { status, type } = outcome(id, before);
      return { create: { status, ...(type && { error: { type, reason: "because" } }) } };
    });
    return { body: { errors: items.some(({ create }) => "error" in create), items } };
  });
  const config = openSearchConfig.parse({
    nodes: [cluster.url],
    max_retries: 0,
    bulk: { max_rows: 3, concurrency: 2 },
  });
  const connection = new OpenSearchConnection(config, new Registry());
  stops.push(
    () => connection.close(),
    () => cluster.stop(),
  );
  return { bulk: new BulkWriter({ connection, config: config.bulk }), requests };
}
const items = (...ids: string[]): BulkItem[] => ids.map((id) => ({ action: createAction("i", id), document: "{}" }));
const CREATED: Outcome = { status: 201 };
const FULL: Outcome = { status: 429, type: "rejected_execution_exception" };

test("sends many items as few requests, each item once", async () => {
  const { bulk, requests } = await writer(() => CREATED);
  expect(await bulk.write(items("a", "b", "c", "d", "e", "f", "g"))).toEqual({ refused: [], retried: 0 });
  expect(requests.map((ids) => ids.length).sort()).toEqual([1, 3, 3]);
  expect(requests.flat().sort()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
});

test("sends items that there was no room for again, and these alone", async () => {
  const { bulk, requests } = await writer((id, before) => (id === "b" && before < 2 ? FULL : CREATED));
  expect(await bulk.write(items("a", "b", "c"))).toEqual({ refused: [], retried: 2 });
  expect(requests).toEqual([["a", "b", "c"], ["b"], ["b"]]);
});

test("takes an item that is there already for written", async () => {
  const { bulk } = await writer(() => ({ status: 409, type: "version_conflict_engine_exception" }));
  expect(await bulk.write(items("a"))).toEqual({ refused: [], retried: 0 });
});

test("gives back what can never be written, and writes the rest", async () => {
  const { bulk } = await writer((id) => (id === "b" ? { status: 400, type: "mapper_parsing_exception" } : CREATED));
  const { refused } = await bulk.write(items("a", "b", "c"));
  expect(refused.map(({ item, reason }) => [item.action, reason])).toEqual([
    [createAction("i", "b"), "mapper_parsing_exception: because"],
  ]);
});

test("finds the one item that spoils a request", async () => {
  const { bulk, requests } = await writer(
    () => CREATED,
    (ids) => (ids.includes("c") ? { status: 413, body: { error: "too large" } } : undefined),
  );
  const { refused } = await bulk.write(items("a", "b", "c"));
  expect(refused.map(({ item }) => item.action)).toEqual([createAction("i", "c")]);
  expect(requests).toEqual([["a", "b", "c"], ["a"], ["b", "c"], ["b"], ["c"]]);
});

test("gives up for now when queues stay full, when disks are full and when shards are away", async () => {
  const outcomes: readonly Outcome[] = [
    FULL,
    { status: 403, type: "cluster_block_exception" },
    { status: 503, type: "unavailable_shards_exception" },
  ];
  // Each after a second of trying again: at the same time.
  const tried = outcomes.map(async (outcome) => {
    const { bulk } = await writer(() => outcome);
    await expect(bulk.write(items("a")), outcome.type).rejects.toThrow(UnavailableError);
  });
  await Promise.all(tried);
});

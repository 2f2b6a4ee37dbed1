import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { QueryGate } from "./query-gate.ts";

const never = new AbortController().signal;

function deferred() {
  return Promise.withResolvers<void>();
}

test("lets so many queries run, and the next ones in the order they came", async () => {
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 5 });
  const first = deferred();
  const order: number[] = [];
  const running = [
    gate.run(never, () => first.promise),
    gate.run(never, async () => order.push(2)),
    gate.run(never, async () => order.push(3)),
  ];
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  first.resolve();
  await Promise.all(running);
  expect(order).toEqual([2, 3]);
});

test("refuses a query when too many wait, naming the settings, and counts it", async () => {
  const registry = new Registry();
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 1, registry });
  const first = deferred();
  const running = [gate.run(never, () => first.promise), gate.run(never, async () => {})];
  await expect(gate.run(never, async () => {})).rejects.toThrow(
    "1 queries are running (query.max_concurrency) and 1 waiting (query.max_waiting)",
  );
  const metrics = await registry.metrics();
  expect(metrics).toContain("sightline_queries_refused_total 1");
  expect(metrics).toContain("sightline_queries_waiting 1");
  first.resolve();
  await Promise.all(running);
});

test("a query that is cancelled while it waits leaves the queue", async () => {
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 1 });
  const first = deferred();
  const running = gate.run(never, () => first.promise);
  const client = new AbortController();
  const waiting = gate.run(client.signal, async () => {});
  client.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  const next = gate.run(never, async () => "came in");
  first.resolve();
  await running;
  expect(await next).toBe("came in");
});

test("a query that fails gives its place back", async () => {
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 1 });
  await expect(gate.run(never, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await gate.run(never, async () => 1)).toBe(1);
});

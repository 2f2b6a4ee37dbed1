import { tenantId } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { expect, test, vi } from "vitest";
import { QueryGate } from "./query-gate.ts";

const A = tenantId("a");
const B = tenantId("b");
const never = new AbortController().signal;

function deferred() {
  return Promise.withResolvers<void>();
}

test("lets so many queries run, and the next ones in the order they came", async () => {
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 5 });
  const first = deferred();
  const order: number[] = [];
  const running = [
    gate.run(A, never, () => first.promise),
    gate.run(A, never, async () => order.push(2)),
    gate.run(A, never, async () => order.push(3)),
  ];
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  first.resolve();
  await Promise.all(running);
  expect(order).toEqual([2, 3]);
});

test("knows for how long nobody has asked", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 5 });
  expect(gate.idleMs).toBe(Number.POSITIVE_INFINITY);
  const first = deferred();
  const running = gate.run(A, never, () => first.promise);
  vi.advanceTimersByTime(50);
  expect(gate.idleMs).toBe(0);
  first.resolve();
  await running;
  vi.advanceTimersByTime(30);
  expect(gate.idleMs).toBe(30);
  vi.useRealTimers();
});

test("refuses a query when too many wait, naming the settings, and counts it", async () => {
  const registry = new Registry();
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 1, registry });
  const first = deferred();
  const running = [gate.run(A, never, () => first.promise), gate.run(A, never, async () => {})];
  await expect(gate.run(A, never, async () => {})).rejects.toThrow(
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
  const running = gate.run(A, never, () => first.promise);
  const client = new AbortController();
  const waiting = gate.run(A, client.signal, async () => {});
  client.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  const next = gate.run(A, never, async () => "came in");
  first.resolve();
  await running;
  expect(await next).toBe("came in");
});

test("a query that fails gives its place back", async () => {
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 1 });
  await expect(gate.run(A, never, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await gate.run(A, never, async () => 1)).toBe(1);
});

test("a place goes to the tenant with the fewest running queries, not to who came first", async () => {
  const gate = new QueryGate({ maxConcurrent: 2, maxWaiting: 10 });
  const [first, second] = [deferred(), deferred()];
  const order: string[] = [];
  const running = [gate.run(A, never, () => first.promise), gate.run(A, never, () => second.promise)];
  for (const name of ["a1", "a2", "a3"]) running.push(gate.run(A, never, async () => void order.push(name)));
  running.push(gate.run(B, never, async () => void order.push("b1")));
  first.resolve();
  await new Promise(setImmediate);
  second.resolve();
  await Promise.all(running);
  expect(order).toEqual(["b1", "a1", "a2", "a3"]);
});

test("one tenant can't take every place", async () => {
  const gate = new QueryGate({ maxConcurrent: 3, maxConcurrentPerTenant: 2, maxWaiting: 10 });
  const first = deferred();
  const order: string[] = [];
  const running = [1, 2].map(() => gate.run(A, never, () => first.promise));
  running.push(gate.run(A, never, async () => void order.push("a")));
  running.push(gate.run(B, never, async () => void order.push("b")));
  await new Promise(setImmediate);
  expect(order).toEqual(["b"]);
  first.resolve();
  await Promise.all(running);
  expect(order).toEqual(["b", "a"]);
});

test("a full queue refuses the newest query of the tenant that fills it", async () => {
  const gate = new QueryGate({ maxConcurrent: 1, maxWaiting: 3 });
  const first = deferred();
  const running: Promise<unknown>[] = [gate.run(A, never, () => first.promise)];
  running.push(
    gate.run(A, never, async () => "a1"),
    gate.run(A, never, async () => "a2"),
  );
  const evicted = gate.run(A, never, async () => "a3");
  running.push(gate.run(B, never, async () => "b1"));
  await expect(evicted).rejects.toThrow("query.max_waiting");
  await expect(gate.run(A, never, async () => "a4")).rejects.toThrow("query.max_waiting");
  first.resolve();
  expect(await Promise.all(running)).toEqual([undefined, "a1", "a2", "b1"]);
});

test("a short query does not wait for the costly ones of its tenant", async () => {
  const gate = new QueryGate({ maxConcurrent: 4, maxConcurrentPerTenant: 3, maxCostlyPerTenant: 2, maxWaiting: 10 });
  const first = deferred();
  const order: string[] = [];
  const running = [1, 2].map(() => gate.run(A, never, () => first.promise, true));
  running.push(gate.run(A, never, async () => void order.push("costly"), true));
  running.push(gate.run(A, never, async () => void order.push("short")));
  running.push(gate.run(A, never, async () => void order.push("also short")));
  await new Promise(setImmediate);
  expect(order).toEqual(["short", "also short"]);
  first.resolve();
  await Promise.all(running);
  expect(order).toEqual(["short", "also short", "costly"]);
});

test("what was expected to be short, and is not, counts as costly", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const gate = new QueryGate({ maxConcurrent: 4, maxConcurrentPerTenant: 3, maxCostlyPerTenant: 1, maxWaiting: 10 });
    const first = deferred();
    const order: string[] = [];
    const running = [gate.run(A, never, () => first.promise)];
    vi.advanceTimersByTime(1_000);
    running.push(gate.run(A, never, async () => void order.push("costly"), true));
    running.push(gate.run(A, never, async () => void order.push("short")));
    await new Promise(setImmediate);
    expect(order).toEqual(["short"]);
    first.resolve();
    await Promise.all(running);
    expect(order).toEqual(["short", "costly"]);
  } finally {
    vi.useRealTimers();
  }
});

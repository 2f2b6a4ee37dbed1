import { labelsToObject } from "@sightline/model/labels.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { encodeV1 } from "@sightline/proto/remote-write/test-messages.ts";
import type { Protocol } from "@sightline/proto/wire-request.ts";
import { afterEach, describe, expect, test } from "vitest";
import { SharedLeaders } from "../processors/shared-leaders.ts";
import { MemorySharedLimits } from "../testing/memory-shared-limits.ts";
import { snappy } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";

const NOW = Date.now();
const collectors: TestCollector[] = [];
afterEach(async () => {
  for (const collector of collectors.splice(0)) await collector.stop();
});

async function two(tenants: object) {
  const shared = new MemorySharedLimits();
  const make = async () => {
    const collector = new TestCollector({ tenants }, { sharedLimits: shared });
    collectors.push(collector);
    await collector.start();
    return collector;
  };
  return { shared, one: await make(), other: await make() };
}

const submit = (to: TestCollector, protocol: Protocol, body: Uint8Array, receivedAtMs = NOW) => {
  const encoding = protocol.startsWith("remote-write") ? "snappy" : "identity";
  return to.ingest.submit({ tenant: DEFAULT_TENANT, protocol, encoding, receivedAtMs, body });
};
const write = (to: TestCollector, labels: readonly Record<string, string>[], receivedAtMs = NOW) => {
  const timeseries = labels.map((one) => ({
    labels: Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)) as [string, string][],
    samples: [{ value: 1, timestamp: receivedAtMs }],
  }));
  return submit(to, "remote-write-1", snappy(encodeV1({ timeseries })), receivedAtMs);
};
const up = (...numbers: readonly number[]) => numbers.map((i) => ({ __name__: "up", i: String(i) }));
const shown = (batch: MetricBatch | undefined) =>
  Array.from({ length: batch?.length ?? 0 }, (_, row) => {
    const labels = labelsToObject(batch?.series[batch.refs[row] as number]?.labels ?? []);
    return labels.i ?? labels.otel_metric_overflow;
  });
const taken = (by: TestCollector) => by.metrics.taken.map(({ batch }) => shown(batch));

describe("active series of all collectors together", () => {
  test("are so many, and the same ones", async () => {
    const { one, other } = await two({ limits: { metrics: { max_active_series: 3 } } });
    await write(one, up(1, 2));
    await write(other, up(4, 3, 2, 1));
    await write(one, up(1, 2, 3, 4));
    expect(taken(one)).toEqual([
      ["1", "2"],
      ["1", "2", "4", "true"],
    ]);
    expect(taken(other)).toEqual([["4", "2", "1", "true"]]);
  });

  test("of a metric, too", async () => {
    const { one, other } = await two({ limits: { metrics: { max_series_per_metric: 1 } } });
    await write(one, up(1));
    await write(other, [...up(2), { __name__: "down", i: "2" }]);
    expect(taken(other)).toEqual([["2", "true"]]);
  });

  test("keep their places while nobody can be asked; then each decides alone, and afterwards together again", async () => {
    const { shared, one, other } = await two({
      limits: { metrics: { max_active_series: 2, active_series_window_ms: 10_000 } },
    });
    await write(one, up(1));
    await write(other, up(1));
    shared.isAway = true;
    await write(one, up(1, 2));
    await write(other, up(1, 3));
    expect(taken(one).at(-1)).toEqual(["1", "2"]);
    expect(taken(other).at(-1)).toEqual(["1", "3"]);
    // It comes back, and has forgotten all. Whoever says first what it has keeps it.
    shared.isAway = false;
    shared.forget();
    for (const atMs of [5_000, 5_001]) {
      await write(one, up(1, 2), NOW + atMs);
      await write(other, up(1, 3), NOW + atMs);
    }
    await write(other, up(1, 3), NOW + 10_000);
    expect(taken(one).at(-1)).toEqual(["1", "2"]);
    expect(taken(other).at(-1)).toEqual(["1", "true"]);
  });
});

describe("the replica that all collectors listen to", () => {
  const ha = { processors: { metrics: [{ kind: "ha_dedup", failover_timeout_ms: 30_000 }] } };
  const of = (replica: string) => [{ __name__: "up", i: replica, cluster: "eu", __replica__: replica }];

  test("is one, whichever collector it comes to", async () => {
    const { one, other } = await two(ha);
    await write(one, of("a"));
    await write(other, of("b"));
    await write(other, of("a"));
    await write(one, of("b"));
    expect([taken(one), taken(other)]).toEqual([[["a"]], [["a"]]]);
  });

  test("stays the one that a collector knew when nobody can be asked", async () => {
    const { shared, one, other } = await two(ha);
    await write(one, of("a"));
    await write(other, of("b"));
    shared.isAway = true;
    await write(other, of("b"));
    await write(one, of("a"));
    expect([taken(one), taken(other)]).toEqual([[["a"], ["a"]], []]);
    // Each by itself.
    await write(other, of("b"), NOW + 60_000);
  });
});

describe("leaders that are shared", () => {
  const leadersOf = (limits: MemorySharedLimits) =>
    new SharedLeaders({ limits, name: "t", failoverMs: 30_000, maxClusters: 10, nowMs: () => limits.nowMs });
  const from = (replica: string) => [{ cluster: "eu", replica }];

  test("fail over when no collector has had the elected one's samples for so long", async () => {
    const shared = new MemorySharedLimits();
    const [one, other] = [leadersOf(shared), leadersOf(shared)];
    await one.learn(from("a"));
    expect(one.learn(from("a"))).toBeUndefined();
    // Others ask so often that it is always known; that it is alive has to be told all the same.
    for (let i = 0; i < 100; i++) {
      shared.nowMs += 700;
      await one.learn(from("b"));
      await one.learn(from("a"));
      await other.learn(from("b"));
      expect([one, other].map((leaders) => leaders.leaderOf("eu")?.replica)).toEqual(["a", "a"]);
    }
    shared.nowMs += 30_001;
    await other.learn(from("b"));
    await one.learn(from("a"));
    expect([one, other].map((leaders) => leaders.leaderOf("eu")?.replica)).toEqual(["b", "b"]);
  });

  test("are elected again after everything was forgotten", async () => {
    const shared = new MemorySharedLimits();
    const [one, other] = [leadersOf(shared), leadersOf(shared)];
    await one.learn(from("a"));
    await other.learn(from("b"));
    shared.forget();
    shared.nowMs += 2_000;
    await other.learn(from("b"));
    expect(other.leaderOf("eu")?.replica).toBe("a");
    shared.nowMs += 30_000;
    await other.learn(from("b"));
    expect(other.leaderOf("eu")?.replica).toBe("b");
  });

  test("are not known any more some time after nobody could be asked", async () => {
    const shared = new MemorySharedLimits();
    const leaders = leadersOf(shared);
    await leaders.learn(from("a"));
    shared.isAway = true;
    shared.nowMs += 3_000;
    await leaders.learn(from("a"));
    expect(leaders.leaderOf("eu")).toBeUndefined();
  });
});

test("a storm is one over all collectors", async () => {
  const { shared, one, other } = await two({
    processors: { logs: [{ kind: "limit_storms", max_per_second: 10 }] },
  });
  const logs = (count: number) =>
    Buffer.from(
      JSON.stringify({
        resourceLogs: [
          { scopeLogs: [{ logRecords: Array.from({ length: count }, () => ({ body: { stringValue: "x" } })) }] },
        ],
      }),
    );
  const kept = (by: TestCollector) => by.logs.taken.map(({ batch }) => batch.length);
  await submit(one, "otlp-logs-json", logs(8));
  await submit(other, "otlp-logs-json", logs(8));
  await submit(one, "otlp-logs-json", logs(8));
  // Two more are let through, and one stands for the rest.
  expect([kept(one), kept(other)]).toEqual([[8, 1], [3]]);
  shared.isAway = true;
  await submit(other, "otlp-logs-json", logs(8));
  expect(kept(other)).toEqual([3, 1]);
});

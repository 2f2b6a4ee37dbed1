import { labelsToObject } from "@sightline/model/labels.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { MetricBatch } from "@sightline/model/metric-batch.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { encodeV1 } from "@sightline/proto/remote-write/test-messages.ts";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { decoderOptions } from "../decoder-options.ts";
import { Ingest } from "../ingest.ts";
import { snappy } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";

let collector: TestCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

const NOW = Date.now();
type Sample = readonly [labels: Record<string, string>, value: number, timeMs?: number];

function write(samples: readonly Sample[], timeMs: number): Buffer {
  const timeseries = samples.map(([labels, value, at]) => ({
    labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)) as [string, string][],
    samples: [{ value, timestamp: at ?? timeMs }],
  }));
  return snappy(encodeV1({ timeseries }));
}

function shown(batch: MetricBatch): Sample[] {
  return Array.from({ length: batch.length }, (_, row) => [
    labelsToObject(batch.series[batch.refs[row] as number]?.labels ?? []),
    batch.values[row] as number,
    (batch.timesMs[row] as number) - NOW,
  ]);
}

async function through(limits: object, ...requests: (readonly Sample[])[]) {
  const made = new TestCollector({ tenants: { limits: { metrics: limits } } });
  collector = made;
  await made.start();
  const statuses: number[] = [];
  for (const [i, samples] of requests.entries()) {
    statuses.push((await made.post("/api/v1/write", write(samples, NOW + 1_000 * i))).status);
  }
  return { statuses, batches: made.metrics.taken.map(({ batch }) => shown(batch)) };
}

const up = (i: string) => ({ __name__: "up", i });
const overflow = (name: string, more = {}) => ({ __name__: name, ...more, otel_metric_overflow: "true" });

describe("above max_active_series", () => {
  test("a gauge's newest values are added up, over requests", async () => {
    const { statuses, batches } = await through(
      { max_active_series: 1 },
      [
        [up("1"), 1],
        [up("2"), 10],
        [up("3"), 100],
      ],
      [[up("2"), 20]],
      [
        [up("1"), 2],
        [up("3"), Number.NaN],
      ],
    );
    expect(statuses).toEqual([204, 204, 204]);
    expect(batches).toEqual([
      [
        [up("1"), 1, 0],
        [overflow("up"), 110, 0],
      ],
      [[overflow("up"), 120, 1_000]],
      [
        [up("1"), 2, 2_000],
        [overflow("up"), 120, 2_000],
      ],
    ]);
  });

  test("a counter's increases are added up, through a reset, and times ascend", async () => {
    const requests = (i: string) => ({ __name__: "requests_total", i });
    const { batches } = await through(
      { max_active_series: 1 },
      [
        [up("1"), 1],
        [requests("1"), 1_000],
        [requests("2"), 50],
      ],
      [
        [requests("1"), 1_010],
        [requests("2"), 55],
      ],
      [
        [requests("1"), 3],
        [requests("2"), 56],
      ],
      [
        [requests("1"), 4, NOW],
        [requests("2"), 57, NOW],
      ],
    );
    const last = batches.map((batch) => batch.at(-1));
    expect(last).toEqual([
      [overflow("requests_total"), 0, 0],
      [overflow("requests_total"), 15, 1_000],
      [overflow("requests_total"), 19, 2_000],
      [overflow("requests_total"), 21, 2_001],
    ]);
  });

  test("buckets of different bounds are different sums", async () => {
    const bucket = (le: string) => ({ __name__: "d_bucket", i: "1", le });
    const { batches } = await through({ max_active_series: 1 }, [
      [up("1"), 1],
      [bucket("1"), 5],
      [bucket("2"), 6],
    ]);
    expect(batches[0]?.map(([labels]) => labels)).toEqual([
      up("1"),
      overflow("d_bucket", { le: "1" }),
      overflow("d_bucket", { le: "2" }),
    ]);
  });
});

test("max_series_per_metric concerns that metric alone", async () => {
  const { batches } = await through({ max_series_per_metric: 1 }, [
    [up("1"), 1],
    [up("2"), 1],
    [{ __name__: "down" }, 1],
  ]);
  expect(batches[0]?.map(([labels]) => labels)).toEqual([up("1"), { __name__: "down" }, overflow("up")]);
});

test("what would need more overflow series than there may be is refused and says so", async () => {
  const made = new TestCollector({
    tenants: { limits: { metrics: { max_active_series: 1, max_overflow_series: 1 } } },
  });
  collector = made;
  await made.start();
  const samples: Sample[] = [
    [up("1"), 1],
    [up("2"), 1],
    [{ __name__: "down" }, 1],
  ];
  const answer = await made.post("/api/v1/write", write(samples, NOW));
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/1 refused \(series_limit\).*max_overflow_series \(1\)/);
  expect(shown(made.metrics.taken[0]?.batch as MetricBatch)).toHaveLength(2);
});

test("a series that falls silent gives its place to another", async () => {
  const made = new TestCollector({
    tenants: { limits: { metrics: { max_active_series: 1, active_series_window_ms: 1_000 } } },
  });
  collector = made;
  await made.start();
  const submit = (samples: readonly Sample[], receivedAtMs: number) =>
    made.ingest.submit({
      tenant: "default" as never,
      protocol: "remote-write-1",
      encoding: "snappy",
      receivedAtMs,
      body: write(samples, receivedAtMs),
    });
  await submit([[up("1"), 1]], NOW);
  await submit([[up("2"), 1]], NOW + 900);
  await submit([[up("2"), 1]], NOW + 2_500);
  expect(made.metrics.taken.map(({ batch }) => shown(batch)[0]?.[0])).toEqual([up("1"), overflow("up"), up("2")]);
});

test("a replay after a crash stores the same, although sums depend on what came before", async () => {
  const made = new TestCollector({ tenants: { limits: { metrics: { max_active_series: 1 } } } });
  collector = made;
  await made.start();
  for (const [i, value] of [10, 15, 35].entries()) {
    const samples: Sample[] = [
      [up("1"), 1],
      [{ __name__: "c_total" }, value],
    ];
    await made.post("/api/v1/write", write(samples, NOW + i));
  }
  const before = made.metrics.taken.map(({ batch }) => shown(batch));
  expect(before.map((batch) => batch[1]?.[1])).toEqual([0, 5, 25]);
  made.metrics.crash();
  const again = new Ingest({
    wal: made.wal,
    decoder: new Decoder(decoderOptions(made.deps.config)),
    stores: { metrics: made.metrics },
    deadLetters: { add: async () => {} },
    config: made.deps.config,
    logger: SILENT_LOGGER,
    registry: new Registry(),
  });
  await again.start();
  expect(made.metrics.taken.map(({ batch }) => shown(batch))).toEqual(before);
  await again.stop();
});

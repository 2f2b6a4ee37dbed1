import { labelsToObject } from "@sightline/model/labels.ts";
import { type MetricBatch, SeriesKey } from "@sightline/model/metric-batch.ts";
import { isStaleAt, wordsOf } from "@sightline/model/stale.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { encodeV1, encodeV2 } from "@sightline/proto/remote-write/test-messages.ts";
import type { Protocol } from "@sightline/proto/wire-request.ts";
import { afterEach, describe, expect, test } from "vitest";
import { snappy } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";
import { relabelConfig, relabelProcessor } from "./relabel.ts";
import { SeriesMapper } from "./series-mapper.ts";
import { Pass } from "./stage.ts";

let collector: TestCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

const NOW = Date.now();

async function started(processors: unknown[]): Promise<TestCollector> {
  collector = new TestCollector({ tenants: { processors: { metrics: processors } } });
  await collector.start();
  return collector;
}

function submit(made: TestCollector, body: Uint8Array, receivedAtMs = NOW, protocol: Protocol = "remote-write-1") {
  return made.ingest.submit({ tenant: DEFAULT_TENANT, protocol, encoding: "snappy", receivedAtMs, body: snappy(body) });
}

const series = (labels: Record<string, string>, value = 1) => ({
  labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)) as [string, string][],
  samples: [{ value, timestamp: NOW }],
});
const labelsOf = (batch: MetricBatch | undefined) =>
  batch === undefined
    ? []
    : Array.from({ length: batch.length }, (_, row) =>
        labelsToObject(batch.series[batch.refs[row] as number]?.labels ?? []),
      );

describe("relabelling", () => {
  const rules = [
    { source_labels: ["job"], regex: "noise", action: "drop" },
    { source_labels: ["job"], target_label: "team", replacement: "t_$1" },
  ];

  test("gives a series the same key in every request and format", async () => {
    const made = await started([{ kind: "relabel", rules }]);
    const up = { __name__: "up", job: "x" };
    await submit(made, encodeV1({ timeseries: [series({ __name__: "up", job: "noise" }), series(up)] }));
    await submit(made, encodeV2([series(up)]), NOW, "remote-write-2");
    const [first, second] = made.metrics.taken.map(({ batch }) => batch);
    expect(labelsOf(first)).toEqual([{ ...up, team: "t_x" }]);
    expect(labelsOf(second)).toEqual(labelsOf(first));
    expect(first?.series[first.refs[0] as number]).toBe(second?.series[second.refs[0] as number]);
  });

  test("staleness markers move with their rows", () => {
    const values = new Float64Array(2);
    const words = wordsOf(values);
    words.set([2, 0x7ff00000], 2);
    const mapper = new SeriesMapper([relabelProcessor(relabelConfig.parse({ kind: "relabel", rules }))], 10);
    const pass = new Pass(NOW);
    const result = mapper.apply(
      {
        length: 2,
        series: [
          new SeriesKey([
            ["__name__", "a"],
            ["job", "noise"],
          ]),
          new SeriesKey([["__name__", "b"]]),
        ],
        refs: Uint32Array.of(0, 1),
        timesMs: Float64Array.of(1, 2),
        values,
        histograms: [],
        exemplars: [],
        metadata: [],
      },
      undefined,
      pass,
    );
    expect([result.length, result.timesMs[0], isStaleAt(words, 0)]).toEqual([1, 2, true]);
    expect([...pass.dropped]).toEqual([["relabel", 1]]);
  });

  test("what is dropped whole is answered with success and is not in the log", async () => {
    const made = await started([{ kind: "relabel", rules }]);
    await submit(made, encodeV1({ timeseries: [series({ __name__: "up", job: "noise" })] }));
    expect(await made.logged()).toEqual([]);
  });
});

describe("HA deduplication", () => {
  const of = (replica: string, cluster = "eu") =>
    encodeV1({ timeseries: [series({ __name__: "up", cluster, __replica__: replica })] });

  test("listens to one replica until it is silent, and takes its label off", async () => {
    const made = await started([{ kind: "ha_dedup", failover_timeout_ms: 30_000 }]);
    const kept: string[] = [];
    for (const [replica, atMs] of [
      ["a", 0],
      ["b", 1],
      ["a", 15_000],
      ["b", 45_000],
      ["b", 45_001],
      ["a", 45_002],
      ["b", 50_000],
    ] as const) {
      const before = made.metrics.taken.length;
      await submit(made, of(replica), NOW + atMs);
      if (made.metrics.taken.length > before) kept.push(`${replica}${atMs}`);
    }
    expect(kept).toEqual(["a0", "a15000", "b45001", "b50000"]);
    expect(labelsOf(made.metrics.taken[0]?.batch)).toEqual([{ __name__: "up", cluster: "eu" }]);
  });

  test("clusters are apart, and series without the labels are kept", async () => {
    const made = await started([{ kind: "ha_dedup" }]);
    await submit(made, of("a"));
    await submit(made, of("b", "us"));
    const plain = { __name__: "up", cluster: "eu" };
    const mixed = [series({ ...plain, __replica__: "b" }), series(plain)];
    await submit(made, encodeV1({ timeseries: mixed }));
    expect(made.metrics.taken.map(({ batch }) => batch.length)).toEqual([1, 1, 1]);
    expect((await made.logged()).map(({ request }) => request.decisions?.length)).toEqual([undefined, undefined, 10]);
  });
});

test("exemplars: the newest of each series, none with long labels", async () => {
  const made = await started([{ kind: "exemplars", max_per_series: 1, max_label_characters: 10 }]);
  const exemplar = (timestamp: number, value: string) => ({
    labels: [["id", value]] as [string, string][],
    value: 1,
    timestamp,
  });
  const exemplars = [exemplar(NOW, "a"), exemplar(NOW + 1, "b"), exemplar(NOW + 2, "long long long")];
  await submit(made, encodeV1({ timeseries: [{ ...series({ __name__: "up" }), exemplars }] }));
  expect(made.metrics.taken[0]?.batch.exemplars.map(({ labels }) => labels)).toEqual([[["id", "b"]]]);
});

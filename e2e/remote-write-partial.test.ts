import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { remoteWrite, type Series } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

const VERSIONS = [1, 2] as const;
const NOW = Math.floor(Date.now() / 1000) * 1000;

let server: ServerProcess;
let tenants = 0;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(() => server.dispose());
const freshTenant = () => `rw-${++tenants}`;
const gauge = (name: string, value: number): Series => ({
  labels: [
    ["__name__", name],
    ["job", "e2e"],
  ],
  samples: [{ timeMs: NOW, value }],
});

describe.each(VERSIONS)("a request of version %d in which one series is bad", (version) => {
  const sample = [{ timeMs: NOW, value: 1 }];
  test.each<[string, Series, RegExp]>([
    ["no metric name", { labels: [["job", "x"]], samples: sample }, /name/],
    ["no labels at all", { labels: [], samples: sample }, /name|label/],
    [
      "an empty label name",
      {
        labels: [
          ["__name__", "bad"],
          ["", "x"],
        ],
        samples: sample,
      },
      /label/,
    ],
    [
      "a label twice",
      {
        labels: [
          ["__name__", "bad"],
          ["job", "x"],
          ["job", "y"],
        ],
        samples: sample,
      },
      /duplicate.*job|job.*(duplicate|twice)/i,
    ],
    [
      "a label twice, apart",
      {
        labels: [
          ["__name__", "bad"],
          ["job", "x"],
          ["zone", "z"],
          ["job", "x"],
        ],
        samples: sample,
      },
      /job/,
    ],
    [
      "the metric name twice",
      {
        labels: [
          ["__name__", "bad"],
          ["__name__", "worse"],
        ],
        samples: sample,
      },
      /__name__/,
    ],
    [
      "a label value that is not UTF-8",
      {
        labels: [
          ["__name__", "bad"],
          ["job", Buffer.from([0x61, 0xff])],
        ],
        samples: sample,
      },
      /UTF-8/i,
    ],
    [
      "a label name that is not UTF-8",
      {
        labels: [
          ["__name__", "bad"],
          [Buffer.from([0xc3, 0x28]), "x"],
        ],
        samples: sample,
      },
      /UTF-8/i,
    ],
    ["a metric name that is not UTF-8", { labels: [["__name__", Buffer.from([0xff])]], samples: sample }, /UTF-8/i],
    [
      "a sample in 2100",
      { labels: [["__name__", "bad"]], samples: [{ timeMs: Date.UTC(2100, 0), value: 1 }] },
      /future|too new|too_new/,
    ],
    ["a sample of 1970", { labels: [["__name__", "bad"]], samples: [{ timeMs: 1, value: 1 }] }, /old|retention/],
    ["a negative time", { labels: [["__name__", "bad"]], samples: [{ timeMs: -1, value: 1 }] }, /timestamp -1/],
    [
      "a histogram whose spans and buckets disagree",
      {
        labels: [["__name__", "bad"]],
        histograms: [{ timeMs: NOW, schema: 0, count: 3, sum: 3, positiveSpans: [[0, 2]], positive: [1] }],
      },
      /span|bucket/,
    ],
    [
      "a histogram of an unknown schema",
      {
        labels: [["__name__", "bad"]],
        histograms: [{ timeMs: NOW, schema: 77, count: 1, sum: 1, positiveSpans: [[0, 1]], positive: [1] }],
      },
      /schema/,
    ],
    [
      "a histogram with a negative bucket",
      {
        labels: [["__name__", "bad"]],
        histograms: [{ timeMs: NOW, schema: 0, count: 1, sum: 1, positiveSpans: [[0, 2]], positive: [2, -3] }],
      },
      /negative/,
    ],
    [
      "a histogram whose spans are absurdly long",
      {
        labels: [["__name__", "bad"]],
        histograms: [{ timeMs: NOW, schema: 0, count: 1, sum: 1, positiveSpans: [[0, 4_000_000_000]], positive: [1] }],
      },
      /span|bucket/,
    ],
    [
      "custom bounds that do not ascend",
      {
        labels: [["__name__", "bad"]],
        histograms: [
          { timeMs: NOW, schema: -53, count: 1, sum: 1, positiveSpans: [[0, 1]], positive: [1], customValues: [5, 2] },
        ],
      },
      /custom|bound|order/,
    ],
  ])("%s: 400 that says why, and the others are kept", async (_, bad, reason) => {
    const tenant = freshTenant();
    const answer = await remoteWrite(server.url, version, [gauge("before", 1), bad, gauge("after", 2)], { tenant });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(reason);
    expect(answer.text.length).toBeLessThan(2_000);
    const found = await new Ask(server.url, tenant).promql('{__name__!=""}');
    expect(found.map(({ metric, value }) => [metric.__name__, value?.[1]]).sort()).toEqual([
      ["after", "2"],
      ["before", "1"],
    ]);
  });
});

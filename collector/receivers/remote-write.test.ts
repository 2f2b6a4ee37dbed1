import type { AppendResult } from "@sightline/model/ports.ts";
import { encodeV1, encodeV2, type SeriesInput2 } from "@sightline/proto/remote-write/test-messages.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listDeadLetters } from "../dead-letters/dead-letter-file.ts";
import { replayDeadLetters, submitOverHttp } from "../dead-letters/replay-dead-letters.ts";
import { eventually } from "../testing/eventually.ts";
import { snappy } from "../testing/otlp-payloads.ts";
import { TestCollector } from "../testing/test-collector.ts";

const TYPE_1 = "application/x-protobuf;proto=prometheus.WriteRequest";
const TYPE_2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const SNAPPY = { "content-encoding": "snappy" };
const NOW_MS = 1_790_000_000_000;

/** Two samples, one histogram, one exemplar. */
const SERIES: SeriesInput2[] = [
  {
    labels: [
      ["__name__", "requests_total"],
      ["job", "shop"],
    ],
    samples: [
      { value: 1, timestamp: NOW_MS },
      { value: 2, timestamp: NOW_MS + 15_000 },
    ],
    exemplars: [{ labels: [["trace_id", "abc"]], value: 1, timestamp: NOW_MS }],
    metadata: { type: 1, help: "requests", unit: "" },
  },
  {
    labels: [["__name__", "latency"]],
    histograms: [{ countInt: 3, sum: 6, schema: 0, zeroThreshold: 0, zeroCountInt: 3, timestamp: NOW_MS }],
  },
];
const BODY_1 = snappy(encodeV1({ timeseries: SERIES.map(({ metadata: _, ...series }) => series) }));
const BODY_2 = snappy(encodeV2(SERIES));

let collector: TestCollector;
beforeAll(async () => {
  collector = new TestCollector({ limits: { max_request_bytes: 100_000, max_in_flight_bytes: 100_000 } });
  await collector.start();
});
afterAll(() => collector.stop());
beforeEach(() => {
  collector.metrics.taken.splice(0);
  collector.metrics.onAppend = () => {};
});

function written(response: Response): (number | null)[] {
  return ["samples", "histograms", "exemplars"].map((kind) => {
    const header = response.headers.get(`x-prometheus-remote-write-${kind}-written`);
    return header === null ? null : Number(header);
  });
}

describe("content negotiation", () => {
  const cases: readonly [string, Record<string, string>, Buffer, (number | null)[]][] = [
    ["1.0", { "content-type": TYPE_1, ...SNAPPY }, BODY_1, [null, null, null]],
    [
      "1.0 without the message's name",
      { "content-type": "application/x-protobuf", ...SNAPPY },
      BODY_1,
      [null, null, null],
    ],
    ["1.0 without a content encoding", { "content-type": "application/x-protobuf" }, BODY_1, [null, null, null]],
    ["2.0", { "content-type": TYPE_2, ...SNAPPY }, BODY_2, [2, 1, 1]],
    [
      "2.0 with other spelling",
      { "content-type": 'application/x-protobuf ; Proto="io.prometheus.write.v2.Request"' },
      BODY_2,
      [2, 1, 1],
    ],
  ];
  test.each(cases)("%s: 204", async (_, headers, body, wanted) => {
    for (const path of ["/api/v1/write", "/api/v1/push"]) {
      collector.metrics.taken.splice(0);
      const response = await collector.post(path, body, { ...headers, "x-scope-orgid": "team-b" });
      expect(await response.text()).toBe("");
      expect(response.status).toBe(204);
      expect(written(response)).toEqual(wanted);
      const [taken] = collector.metrics.taken;
      expect(taken?.tenant).toBe("team-b");
      expect(taken?.batch.length).toBe(2);
      expect(taken?.batch.histograms).toHaveLength(1);
      expect(taken?.batch.exemplars).toHaveLength(1);
    }
  });

  test.each([
    [
      "another message",
      { "content-type": "application/x-protobuf;proto=acme.Write", ...SNAPPY },
      /prometheus\.WriteRequest.*v2\.Request/,
    ],
    ["JSON", { "content-type": "application/json", ...SNAPPY }, /application\/x-protobuf/],
    ["gzip", { "content-type": TYPE_1, "content-encoding": "gzip" }, /use snappy/],
    ["zstd for 2.0", { "content-type": TYPE_2, "content-encoding": "zstd" }, /use snappy/],
  ])("%s: 415 that says what is taken", async (_, headers, message) => {
    const response = await collector.post("/api/v1/write", BODY_1, headers);
    expect(response.status).toBe(415);
    expect(await response.text()).toMatch(message);
    expect(collector.metrics.taken).toEqual([]);
  });
});

describe("what is refused", () => {
  test.each([
    ["1.0: snappy that is none", TYPE_1, Buffer.from([200, 1, 2]), 400, [null, null, null]],
    ["2.0: snappy that is none", TYPE_2, Buffer.from([200, 1, 2]), 400, [0, 0, 0]],
    ["2.0: truncated protobuf", TYPE_2, snappy(encodeV2(SERIES).subarray(0, -3)), 400, [0, 0, 0]],
    ["2.0: too large", TYPE_2, Buffer.alloc(200_000), 413, [0, 0, 0]],
  ])("%s", async (_, type, body, status, wanted) => {
    const response = await collector.post("/api/v1/write", body, { "content-type": type, ...SNAPPY });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toBe("");
    expect(written(response)).toEqual(wanted);
  });

  test("some rows: 400 with the reason, and the header counts those that are kept", async () => {
    const refusal: AppendResult = {
      accepted: 2,
      rejected: [{ reason: "out_of_order", count: 1, message: "out of order sample for requests_total" }],
    };
    collector.metrics.onAppend = () => refusal;
    const response = await collector.post("/api/v1/write", BODY_2, { "content-type": TYPE_2, ...SNAPPY });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("1 refused (out_of_order): out of order sample for requests_total");
    expect(written(response)).toEqual([1, 1, 1]);
  });

  test("duplicate labels cost their series and no other", async () => {
    const labels: [string, string][] = [
      ["__name__", "twice"],
      ["a", "1"],
      ["a", "2"],
    ];
    const body = snappy(encodeV2([...SERIES, { labels, samples: [{ value: 1, timestamp: NOW_MS }] }]));
    const response = await collector.post("/api/v1/write", body, { "content-type": TYPE_2, ...SNAPPY });
    expect(response.status).toBe(400);
    expect(written(response)).toEqual([2, 1, 1]);
    expect(collector.metrics.taken[0]?.batch.length).toBe(2);
  });

  test("a wrong credential: 401; another method: 405", async () => {
    const headers = { "content-type": TYPE_1, authorization: "no" };
    expect((await collector.post("/api/v1/write", BODY_1, headers)).status).toBe(401);
    const response = await fetch(`${collector.url}/api/v1/write`);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });

  test("being busy is 503, because Prometheus drops what is answered with 429", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    collector.metrics.onAppend = () => held;
    const headers = { "content-type": TYPE_1, ...SNAPPY };
    // A histogram with a large label makes a request of 70 kB.
    const labels: [string, string][] = [
      ["__name__", "big"],
      ["padding", "x".repeat(70_000)],
    ];
    const big = snappy(encodeV1({ timeseries: [{ labels, samples: [{ value: 1, timestamp: NOW_MS }] }] }));
    const first = collector.post("/api/v1/write", big, headers);
    await eventually(() => expect(collector.ingest.budget.usedBytes).toBeGreaterThan(70_000));
    const refused = await collector.post("/api/v1/write", big, headers);
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await refused.text()).toContain("collector.limits.max_in_flight_bytes");
    release();
    await first;
  });
});

test("a dead letter is replayed over HTTP: it goes when it is accepted, and does not multiply when it is not", async () => {
  const dir = collector.deadLettersDir;
  const letters = async () => {
    const all = [];
    for await (const letter of listDeadLetters(dir)) all.push(letter);
    return all;
  };
  const replay = async () => {
    const outcomes = [];
    for await (const outcome of replayDeadLetters(dir, submitOverHttp(collector.url))) outcomes.push(outcome);
    return outcomes;
  };
  collector.metrics.onAppend = () => {
    throw new TypeError("a bug of the store");
  };
  const headers = { "content-type": TYPE_2, ...SNAPPY, "x-scope-orgid": "team-c" };
  const response = await collector.post("/api/v1/write", BODY_2, headers);
  expect(response.status).toBe(400);
  expect(written(response)).toEqual([0, 0, 0]);
  const [letter, ...others] = await letters();
  expect(others).toEqual([]);
  expect(letter).toMatchObject({ reason: "refused", tenant: "team-c", protocol: "remote-write-2" });
  expect(await replay()).toMatchObject([{ note: expect.stringContaining("dead letter") }]);
  const [again] = await letters();
  expect(again?.id).not.toBe(letter?.id);
  collector.metrics.onAppend = () => {};
  expect(await replay()).toMatchObject([{ note: "" }]);
  expect(await letters()).toEqual([]);
  expect(collector.metrics.taken).toMatchObject([{ tenant: "team-c", batch: { length: 2 } }]);
});

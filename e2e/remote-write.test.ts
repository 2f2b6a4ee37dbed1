import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { call } from "./harness/http-call.ts";
import { ProtobufWriter } from "./harness/protobuf-writer.ts";
import {
  encodeRemoteWrite1,
  encodeRemoteWrite2,
  REMOTE_WRITE_2,
  remoteWrite,
  type Series,
  snappy,
} from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

const V1 = "application/x-protobuf";
const V1_NAMED = "application/x-protobuf;proto=prometheus.WriteRequest";
const V2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request";
const VERSIONS = [1, 2] as const;
const NOW = Math.floor(Date.now() / 1000) * 1000;

let server: ServerProcess;
let tenants = 0;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(() => server.dispose());
/** A tenant of its own, so that tests don't see each other's series. */
const freshTenant = () => `rw-${++tenants}`;
const gauge = (name: string, value: number, timeMs = NOW): Series => ({
  labels: [
    ["__name__", name],
    ["job", "e2e"],
  ],
  samples: [{ timeMs, value }],
});

describe("content negotiation", () => {
  test.each<[string, Record<string, string>, 1 | 2, number]>([
    ["version 1", { "content-type": V1, "content-encoding": "snappy" }, 1, 204],
    ["version 1 by name", { "content-type": V1_NAMED, "content-encoding": "snappy" }, 1, 204],
    ["version 2", { "content-type": V2, "content-encoding": "snappy" }, 2, 204],
    ["version 2, spelt loosely", { "content-type": V2.replace(";", " ; "), "content-encoding": "Snappy" }, 2, 204],
    ["no content type: version 1", { "content-encoding": "snappy" }, 1, 204],
    ["no content encoding: snappy", { "content-type": V1 }, 1, 204],
    ["an unknown message", { "content-type": `${V1};proto=io.prometheus.write.v9.Request` }, 2, 415],
    ["JSON", { "content-type": "application/json", "content-encoding": "snappy" }, 1, 415],
    ["gzip", { "content-type": V1, "content-encoding": "gzip" }, 1, 415],
    ["framed snappy", { "content-type": V1, "content-encoding": "x-snappy-framed" }, 1, 415],
  ])("%s", async (_, headers, version, status) => {
    const tenant = freshTenant();
    const raw = version === 1 ? encodeRemoteWrite1([gauge("n", 1)]) : encodeRemoteWrite2([gauge("n", 1)]);
    const answer = await call(`${server.url}/api/v1/write`, {
      headers: { ...headers, "x-scope-orgid": tenant },
      body: snappy(raw),
    });
    expect({ status: answer.status, text: status < 300 ? answer.text : "" }).toEqual({ status, text: "" });
    if (status === 415) expect(answer.text).toMatch(/snappy|protobuf/);
    expect(await new Ask(server.url, tenant).number("n")).toBe(status < 300 ? 1 : Number.NaN);
  });

  test("a version 2 body under version 1's content type is refused, not misread", async () => {
    const tenant = freshTenant();
    const answer = await call(`${server.url}/api/v1/write`, {
      headers: { "content-type": V1, "content-encoding": "snappy", "x-scope-orgid": tenant },
      body: snappy(encodeRemoteWrite2([gauge("n", 1)])),
    });
    expect(answer.status).toBe(400);
    expect(await new Ask(server.url, tenant).promql("{__name__!=''}")).toEqual([]);
  });

  test.each(["/api/v1/write", "/api/v1/push"])("%s takes POST only", async (path) => {
    const headers = { ...REMOTE_WRITE_2, "x-scope-orgid": freshTenant() };
    expect((await call(server.url + path, { headers, body: snappy(encodeRemoteWrite2([gauge("n", 1)])) })).status).toBe(
      204,
    );
    expect([404, 405]).toContain((await call(server.url + path, { method: "PUT", headers, body: "x" })).status);
  });
});

describe("the Written headers of version 2", () => {
  const written = async (series: readonly Series[]) => {
    const { headers, status } = await remoteWrite(server.url, 2, series, { tenant: freshTenant() });
    const of = (what: string) => headers[`x-prometheus-remote-write-${what}-written`];
    return { status, samples: of("samples"), histograms: of("histograms"), exemplars: of("exemplars") };
  };
  const histogram = { timeMs: NOW, schema: 0, count: 1, sum: 1, positiveSpans: [[0, 1]] as const, positive: [1] };

  test("count what was kept", async () => {
    const exemplars = [{ labels: [["trace_id", "abc"]] as const, value: 1, timeMs: NOW }];
    expect(
      await written([
        { ...gauge("a", 1), exemplars },
        gauge("b", 2),
        { labels: [["__name__", "c"]], histograms: [histogram] },
      ]),
    ).toEqual({ status: 204, samples: "2", histograms: "1", exemplars: "1" });
  });

  test("are there when nothing was sent", async () => {
    expect(await written([])).toEqual({ status: 204, samples: "0", histograms: "0", exemplars: "0" });
  });

  test("leave out what was refused", async () => {
    const nameless: Series = { labels: [["job", "e2e"]], samples: [{ timeMs: NOW, value: 1 }] };
    expect(await written([gauge("a", 1), nameless, gauge("b", 1)])).toEqual({
      status: 400,
      samples: "2",
      histograms: "0",
      exemplars: "0",
    });
  });
});

describe.each(VERSIONS)("samples of version %d", (version) => {
  test("labels need not be sorted, and empty values are no labels", async () => {
    const tenant = freshTenant();
    const samples = [{ timeMs: NOW, value: 1 }];
    const labels = [
      ["zone", "z"],
      ["__name__", "m"],
      ["empty", ""],
      ["a", "1"],
    ] as const;
    expect((await remoteWrite(server.url, version, [{ labels, samples }], { tenant })).status).toBe(204);
    const ask = new Ask(server.url, tenant);
    expect((await ask.promql('m{a="1",empty=""}')).map(({ metric }) => metric)).toEqual([
      { __name__: "m", a: "1", zone: "z" },
    ]);
    const sorted = [
      ["__name__", "m"],
      ["a", "1"],
      ["zone", "z"],
    ] as const;
    const later = [{ timeMs: NOW + 1, value: 2 }];
    expect((await remoteWrite(server.url, version, [{ labels: sorted, samples: later }], { tenant })).status).toBe(204);
    expect(await ask.samples("m")).toEqual([
      [NOW, "1"],
      [NOW + 1, "2"],
    ]);
  });

  test("every value comes back as it was sent", async () => {
    const tenant = freshTenant();
    const values = [Number.NaN, Infinity, -Infinity, 0, -0, 5e-324, 1.7976931348623157e308, 0.1, 1e21, 123456789.125];
    const samples = values.map((value, i) => ({ timeMs: NOW - 60_000 + i, value }));
    expect(
      (await remoteWrite(server.url, version, [{ labels: [["__name__", "m"]], samples }], { tenant })).status,
    ).toBe(204);
    expect((await new Ask(server.url, tenant).samples("m")).map(([, value]) => value)).toEqual([
      "NaN",
      "+Inf",
      "-Inf",
      "0",
      "-0",
      "5e-324",
      "1.7976931348623157e+308",
      "0.1",
      "1e+21",
      "123456789.125",
    ]);
  });

  test("names may be any UTF-8", async () => {
    const tenant = freshTenant();
    const labels = [
      ["__name__", "größe.µs"],
      ["host.name", "日本 \u{1F600}"],
    ] as const;
    await remoteWrite(server.url, version, [{ labels, samples: [{ timeMs: NOW, value: 3 }] }], { tenant });
    expect(await new Ask(server.url, tenant).number('{"größe.µs","host.name"="日本 \u{1F600}"}')).toBe(3);
  });

  test("a sample that comes again is taken as said, with another value it is refused", async () => {
    const tenant = freshTenant();
    expect((await remoteWrite(server.url, version, [gauge("m", 1)], { tenant })).status).toBe(204);
    expect((await remoteWrite(server.url, version, [gauge("m", 1)], { tenant })).status).toBe(204);
    const refused = await remoteWrite(server.url, version, [gauge("m", 2), gauge("other", 5)], { tenant });
    expect(refused.status).toBe(400);
    const ask = new Ask(server.url, tenant);
    expect(await ask.samples("m")).toEqual([[NOW, "1"]]);
    expect(await ask.number("other")).toBe(5);
  });

  test("late samples of a series find their place", async () => {
    const tenant = freshTenant();
    for (const offset of [0, -60_000, -3_600_000, -30_000, 1_000]) {
      const answer = await remoteWrite(server.url, version, [gauge("m", offset, NOW + offset)], { tenant });
      expect({ offset, status: answer.status }).toEqual({ offset, status: 204 });
    }
    const times = (await new Ask(server.url, tenant).samples("m")).map(([timeMs]) => timeMs - NOW);
    expect(times).toEqual([-3_600_000, -60_000, -30_000, 0, 1_000]);
  });

  test("an integer histogram, a float one, one with custom bounds", async () => {
    const tenant = freshTenant();
    const shared = { timeMs: NOW, zeroThreshold: 0.001, zeroCount: 2, schema: 0, sum: 12.5 } as const;
    const spans = {
      positiveSpans: [
        [0, 2],
        [1, 1],
      ],
      negativeSpans: [[0, 1]],
    } as const;
    const series: Series[] = [
      {
        labels: [["__name__", "int"]],
        histograms: [{ ...shared, ...spans, count: 9, positive: [1, 1, -1], negative: [3] }],
      },
      {
        labels: [["__name__", "float"]],
        histograms: [
          { ...shared, ...spans, float: true, zeroCount: 0.25, count: 7.25, positive: [1.5, 2, 0.5], negative: [3] },
        ],
      },
      {
        labels: [["__name__", "custom"]],
        histograms: [
          {
            timeMs: NOW,
            schema: -53,
            count: 10,
            sum: 40,
            positiveSpans: [[0, 4]],
            positive: [2, 1, -2, 3],
            customValues: [1, 5, 10],
          },
        ],
      },
    ];
    const answer = await remoteWrite(server.url, version, series, { tenant });
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: "" });
    const ask = new Ask(server.url, tenant);
    const histogramOf = async (name: string) => (await ask.promql(name, NOW))[0]?.histogram?.[1];
    expect(await histogramOf("int")).toEqual({
      count: "9",
      sum: "12.5",
      buckets: [
        [1, "-1", "-0.5", "3"],
        [3, "-0.001", "0.001", "2"],
        [0, "0.5", "1", "1"],
        [0, "1", "2", "2"],
        [0, "4", "8", "1"],
      ],
    });
    expect(await histogramOf("float")).toEqual({
      count: "7.25",
      sum: "12.5",
      buckets: [
        [1, "-1", "-0.5", "3"],
        [3, "-0.001", "0.001", "0.25"],
        [0, "0.5", "1", "1.5"],
        [0, "1", "2", "2"],
        [0, "4", "8", "0.5"],
      ],
    });
    expect(await histogramOf("custom")).toEqual({
      count: "10",
      sum: "40",
      buckets: [
        [3, "-Inf", "1", "2"],
        [0, "1", "5", "3"],
        [0, "5", "10", "1"],
        [0, "10", "+Inf", "4"],
      ],
    });
    expect(await ask.number("histogram_quantile(0.5, custom)", NOW)).toBeCloseTo(5, 10);
  });

  test("exemplars are found by their series and time", async () => {
    const tenant = freshTenant();
    const exemplars = [
      { labels: [["trace_id", "0af7651916cd43dd8448eb211c80319c"]] as const, value: 0.25, timeMs: NOW - 10 },
    ];
    expect(
      (await remoteWrite(server.url, version, [{ ...gauge("m", 1), exemplars }, gauge("n", 1)], { tenant })).status,
    ).toBe(204);
    const ask = new Ask(server.url, tenant);
    expect(await ask.exemplars("rate(m[5m]) + n", NOW - 60_000, NOW)).toEqual([
      {
        seriesLabels: { __name__: "m", job: "e2e" },
        exemplars: [
          { labels: { trace_id: "0af7651916cd43dd8448eb211c80319c" }, value: "0.25", timestamp: (NOW - 10) / 1000 },
        ],
      },
    ]);
    expect(await ask.exemplars("n", NOW - 60_000, NOW)).toEqual([]);
    expect(await ask.exemplars("m", NOW - 60_000, NOW - 11)).toEqual([]);
  });

  test("metadata is given by metric", async () => {
    const tenant = freshTenant();
    const series = { ...gauge("requests_total", 1), metadata: { type: 1, help: "How many came.", unit: "" } };
    const metadata = [{ metric: "requests_total", type: 1, help: "How many came.", unit: "" }];
    expect(
      (await remoteWrite(server.url, version, [series], version === 1 ? { tenant, metadata } : { tenant })).status,
    ).toBe(204);
    const ask = new Ask(server.url, tenant);
    const want = { requests_total: [{ type: "counter", help: "How many came.", unit: "" }] };
    expect(await ask.metadata()).toEqual(want);
    expect(await ask.metadata("requests_total")).toEqual(want);
    expect(await ask.metadata("other")).toEqual({});
  });
});

describe("what only version 2 can say", () => {
  test("start times of samples, in both forms, are taken", async () => {
    const tenant = freshTenant();
    const perSeries = { ...gauge("a_total", 5), createdMs: NOW - 60_000 };
    const perSample: Series = {
      labels: [["__name__", "b_total"]],
      samples: [
        { timeMs: NOW - 1_000, value: 5, startMs: NOW - 60_000 },
        { timeMs: NOW, value: 6, startMs: NOW - 60_000 },
      ],
    };
    const answer = await remoteWrite(server.url, 2, [perSeries, perSample], { tenant });
    expect(answer).toMatchObject({ status: 204, headers: { "x-prometheus-remote-write-samples-written": "3" } });
    expect(await new Ask(server.url, tenant).samples("b_total")).toEqual([
      [NOW - 1_000, "5"],
      [NOW, "6"],
    ]);
  });

  test.each([
    ["a symbol that does not exist", [1, 2, 3, 99]],
    ["a label name without a value", [1, 2, 3]],
  ])("%s is refused, and the other series kept", async (_, refs) => {
    const tenant = freshTenant();
    const good = encodeRemoteWrite2([gauge("good", 1)]);

    const bad = new ProtobufWriter()
      .raw(good)
      .message(5, (writer) => writer.packed(1, refs).message(2, () => writer.double(1, 1).varint(2, NOW)))
      .finish();
    const headers = { ...REMOTE_WRITE_2, "x-scope-orgid": tenant };
    const answer = await call(`${server.url}/api/v1/write`, { headers, body: snappy(bad) });
    expect(answer.status).toBe(400);
    expect(answer.text).toMatch(/symbol|label/);
    expect(await new Ask(server.url, tenant).number("good")).toBe(1);
  });
});

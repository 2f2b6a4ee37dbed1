import { sampleHistogram } from "@sightline/storage-conformance/example-histogram.ts";
import type { FastifyInstance } from "fastify";
import { beforeAll, describe, expect, test } from "vitest";
import { NOW_MS, prometheusApp } from "./prometheus-test-app.ts";

let app: FastifyInstance;
const NOW = String(NOW_MS / 1_000);

beforeAll(async () => {
  const samples = (from: number): [number, number][] => [
    [NOW_MS - 60_000, from],
    [NOW_MS - 30_000, from + 1.5],
    [NOW_MS, from + 3],
  ];
  app = await prometheusApp([
    { labels: { __name__: "requests", job: "api" }, samples: samples(10) },
    { labels: { __name__: "requests", job: "web" }, samples: samples(20) },
    { labels: { __name__: "latency" }, samples: [[NOW_MS, sampleHistogram(1)]] },
  ]);
});

async function ask(path: string, parameters: Record<string, string>, method: "GET" | "POST" = "GET") {
  const form = new URLSearchParams(parameters).toString();
  const answer = await (method === "GET"
    ? app.inject(`/api/v1/${path}?${form}`)
    : app.inject({
        method,
        url: `/api/v1/${path}`,
        headers: { "content-type": "application/x-www-form-urlencoded" },
        payload: form,
      }));
  return { status: answer.statusCode, body: answer.json() };
}
const failure = (error: string, status = 400, errorType = "bad_data") => ({
  status,
  body: { status: "error", errorType, error },
});

describe("an instant query", () => {
  test("Grafana's health check", async () => {
    expect(await ask("query", { query: "1+1", time: "4" }, "POST")).toEqual({
      status: 200,
      body: { status: "success", data: { resultType: "scalar", result: [4, "2"] } },
    });
  });

  test.each(["GET", "POST"] as const)("by %s gives a vector", async (method) => {
    const { body } = await ask("query", { query: 'requests{job="api"}', time: NOW }, method);
    expect(body.data).toEqual({
      resultType: "vector",
      result: [{ metric: { __name__: "requests", job: "api" }, value: [NOW_MS / 1_000, "13"] }],
    });
  });

  test("looks at now when it names no time", async () => {
    const { body } = await ask("query", { query: "sum(requests)" });
    expect(body.data.result).toEqual([{ metric: {}, value: [NOW_MS / 1_000, "36"] }]);
  });

  test("a range selector gives a matrix, a string a string", async () => {
    const matrix = await ask("query", { query: 'requests{job="web"}[1m]', time: NOW });
    expect(matrix.body.data.result[0].values).toEqual([
      [1699999970, "21.5"],
      [1700000000, "23"],
    ]);
    const string = await ask("query", { query: '"x"', time: "1.25" });
    expect(string.body.data).toEqual({ resultType: "string", result: [1.25, "x"] });
  });

  test("gives native histograms with their buckets", async () => {
    const { body } = await ask("query", { query: "latency", time: NOW });
    const [time, histogram] = body.data.result[0].histogram;
    expect(time).toBe(NOW_MS / 1_000);
    expect(histogram).toMatchObject({ count: "10.5", sum: "-1.25" });
    expect(histogram.buckets.map((bucket: unknown[]) => [bucket[0], bucket[3]])).toEqual([
      [1, "1"],
      [3, "1"],
      [0, "1"],
      [0, "2"],
      [0, "3.5"],
    ]);
  });

  test("times are read as seconds and as RFC 3339", async () => {
    const seconds = await ask("query", { query: "time()", time: "1700000000.5" });
    const text = await ask("query", { query: "time()", time: "2023-11-14T22:13:20.5Z" });
    expect(seconds.body.data.result).toEqual([1700000000.5, "1700000000.5"]);
    expect(text.body).toEqual(seconds.body);
  });

  test("a limit cuts the vector and warns", async () => {
    const { body } = await ask("query", { query: "requests", time: NOW, limit: "1" });
    expect(body.data.result).toHaveLength(1);
    expect(body.warnings).toEqual(["results truncated due to limit"]);
  });

  test("statistics come when asked for", async () => {
    const { body } = await ask("query", { query: "requests", time: NOW, stats: "all" });
    expect(body.data.stats.samples.totalQueryableSamples).toBe(2);
    expect(body).not.toHaveProperty("warnings");
    const odd = await ask("query", { query: "1", stats: "yes" });
    expect(odd.body.warnings).toEqual([
      'value "yes" for parameter "stats" is deprecated and will be rejected in the next major release, use "true" or "all"',
    ]);
  });

  test("the lookback can be set", async () => {
    const parameters = { query: "requests", time: String(NOW_MS / 1_000 + 20) };
    expect((await ask("query", parameters)).body.data.result).toHaveLength(2);
    expect((await ask("query", { ...parameters, lookback_delta: "10s" })).body.data.result).toHaveLength(0);
  });
});

describe("a range query", () => {
  test("gives a matrix on the grid of its steps", async () => {
    const { body } = await ask("query_range", {
      query: 'requests{job="api"}',
      start: "1699999940",
      end: NOW,
      step: "30s",
    });
    expect(body.data).toEqual({
      resultType: "matrix",
      result: [
        {
          metric: { __name__: "requests", job: "api" },
          values: [
            [1699999940, "10"],
            [1699999970, "11.5"],
            [1700000000, "13"],
          ],
        },
      ],
    });
  });

  test("11,000 steps are allowed, with the first point 11,001 points", async () => {
    const { status, body } = await ask("query_range", { query: "1", start: "0", end: "11000", step: "1" });
    expect(status).toBe(200);
    expect(body.data.result[0].values).toHaveLength(11_001);
  });
});

describe("what is wrong is said in Prometheus' words", () => {
  const range = { query: "up", start: "0", end: "10", step: "1" };
  test.each([
    [{ ...range, start: "" }, 'invalid parameter "start": cannot parse "" to a valid timestamp'],
    [{ ...range, end: "x" }, 'invalid parameter "end": cannot parse "x" to a valid timestamp'],
    [{ ...range, start: "11" }, 'invalid parameter "end": end timestamp must not be before start time'],
    [{ ...range, step: "" }, 'invalid parameter "step": cannot parse "" to a valid duration'],
    [
      { ...range, step: "0" },
      'invalid parameter "step": zero or negative query resolution step widths are not accepted. Try a positive integer',
    ],
    [{ ...range, step: "-1m" }, 'invalid parameter "step": cannot parse "-1m" to a valid duration'],
    [
      { ...range, end: "11001" },
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    ],
    [{ ...range, timeout: "x" }, 'invalid parameter "timeout": cannot parse "x" to a valid duration'],
    [{ ...range, limit: "-1" }, 'invalid parameter "limit": limit must be non-negative'],
    [
      { ...range, limit: "99999999999999999999" },
      'invalid parameter "limit": strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    [{ ...range, lookback_delta: "x" }, 'error parsing lookback delta duration: cannot parse "x" to a valid duration'],
  ])("query_range %j", async (parameters, error) => {
    expect(await ask("query_range", parameters)).toEqual(failure(error));
  });

  test.each([
    [{ query: "up", timeout: "0" }, 'invalid parameter "query": context deadline exceeded'],
    [{ query: "sum(" }, 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis'],
    [
      { query: "up", time: "never" },
      `invalid parameter "time": invalid time value for 'time': cannot parse "never" to a valid timestamp`,
    ],
  ])("query %j", async (parameters, error) => {
    expect(await ask("query", parameters)).toEqual(failure(error));
  });

  test("a query that can't be evaluated is an execution error", async () => {
    const { status, body } = await ask("query", { query: "requests + on () requests", time: NOW });
    expect([status, body.errorType]).toEqual([422, "execution"]);
    expect(body.error).toMatch(/^found duplicate series for the match group \{\}/);
  });
});

test("stats=all tells what each step looked at and what had to be read for it", async () => {
  const start = String(NOW_MS / 1_000 - 30);
  const { body } = await ask("query_range", {
    query: "sum(rate(requests[1m]))",
    start,
    end: NOW,
    step: "30",
    stats: "all",
  });
  const [first, second] = [NOW_MS / 1_000 - 30, NOW_MS / 1_000];
  expect(body.data.stats.samples).toMatchObject({
    totalQueryableSamples: 8,
    totalQueryableSamplesPerStep: [
      [first, 4],
      [second, 4],
    ],
    samplesRead: 6,
    samplesReadPerStep: [
      [first, 4],
      [second, 2],
    ],
  });
});

test("a parameter whose escapes are broken is left out, as Go does", async () => {
  const answer = await app.inject("/api/v1/query?query=requests%zz");
  expect(answer.json()).toMatchObject({ error: expect.stringContaining("no expression found in input") });
});

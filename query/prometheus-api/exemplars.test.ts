import type { FastifyInstance } from "fastify";
import { beforeAll, expect, test } from "vitest";
import { NOW_MS, prometheusApp } from "./prometheus-test-app.ts";

let app: FastifyInstance;
beforeAll(async () => {
  const exemplar = (timeMs: number, value: number) => ({ timeMs, value, labels: [["trace_id", "abc"]] as const });
  app = await prometheusApp([
    {
      labels: { __name__: "requests_total", job: "api" },
      samples: [[NOW_MS, 1]],
      exemplars: [exemplar(NOW_MS - 500, 0.25), exemplar(NOW_MS - 100, 1e-7)],
    },
    { labels: { __name__: "requests_total", job: "web" }, samples: [[NOW_MS, 1]], exemplars: [exemplar(NOW_MS, 2)] },
  ]);
});

async function ask(parameters: Record<string, string>, method: "GET" | "POST" = "GET") {
  const form = new URLSearchParams(parameters).toString();
  return method === "GET"
    ? app.inject(`/api/v1/query_exemplars?${form}`)
    : app.inject({
        method,
        url: "/api/v1/query_exemplars",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        payload: form,
      });
}

const api = {
  seriesLabels: { __name__: "requests_total", job: "api" },
  exemplars: [
    { labels: { trace_id: "abc" }, value: "0.25", timestamp: 1699999999.5 },
    { labels: { trace_id: "abc" }, value: "1e-07", timestamp: 1699999999.9 },
  ],
};
const web = {
  seriesLabels: { __name__: "requests_total", job: "web" },
  exemplars: [{ labels: { trace_id: "abc" }, value: "2", timestamp: 1700000000 }],
};

test.each(["GET", "POST"] as const)(
  "by %s: those of every selector of the expression, each series once",
  async (method) => {
    const query = 'rate(requests_total{job="api"}[5m]) / on () sum(requests_total) + max_over_time(vector(1)[5m:1m])';
    const answer = await ask({ query, start: "1699999000", end: "1700000000" }, method);
    expect(answer.json().status).toBe("success");
    expect(answer.json().data).toHaveLength(2);
    expect(answer.json().data).toEqual(expect.arrayContaining([api, web]));
  },
);

test("only those within the time", async () => {
  const answer = await ask({ query: "requests_total", start: "1700000000", end: "1700000001" });
  expect(answer.json()).toEqual({ status: "success", data: [web] });
});

test("Grafana's probe, which sends milliseconds, is a success", async () => {
  const answer = await ask({ query: "test", start: "1699999000000", end: "1700000000000" });
  expect([answer.statusCode, answer.json()]).toEqual([200, { status: "success", data: [] }]);
});

test("an expression without selectors has no content, as Prometheus has it", async () => {
  expect((await ask({ query: "1 + 1" })).statusCode).toBe(204);
});

test("an expression that does not parse is bad data", async () => {
  const answer = await ask({ query: "up{" });
  expect(answer.statusCode).toBe(400);
  expect(answer.json().error).toMatch(/^1:4: parse error: /);
});

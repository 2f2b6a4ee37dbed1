import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import type { FastifyInstance } from "fastify";
import { beforeAll, expect, test } from "vitest";
import { prometheusApp } from "./prometheus-test-app.ts";

let app: FastifyInstance;
beforeAll(async () => {
  app = await prometheusApp([]);
});

test.each(["GET", "POST"] as const)("a query is formatted by %s", async (method) => {
  const form = new URLSearchParams({ query: "sum(rate(foo[5m]))by(job)" }).toString();
  const answer = await app.inject(
    method === "GET"
      ? `/api/v1/format_query?${form}`
      : {
          method,
          url: "/api/v1/format_query",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          payload: form,
        },
  );
  expect(answer.json()).toEqual({ status: "success", data: "sum by (job) (rate(foo[5m]))" });
});

test("a query is given as a tree", async () => {
  const answer = await app.inject("/api/v1/parse_query?query=1");
  expect(answer.json()).toEqual({ status: "success", data: { type: "numberLiteral", val: "1" } });
});

test.each([
  ["", "unknown position: parse error: no expression found in input"],
  ["sum(", "1:5: parse error: unclosed left parenthesis"],
])("%j is refused in Prometheus' words", async (query, error) => {
  for (const path of ["format_query", "parse_query"]) {
    const answer = await app.inject(`/api/v1/${path}?query=${encodeURIComponent(query)}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({
      status: "error",
      errorType: "bad_data",
      error: `invalid parameter "query": ${error}`,
    });
  }
});

test("a thousand operators of a thousand characters are laid out in no time", async () => {
  const query = Array.from({ length: 900 }, (_, i) => `${"x".repeat(1_000)}${i}`).join("+");
  const startMs = workedMs();
  const answer = await app.inject({
    method: "POST",
    url: "/api/v1/format_query",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: new URLSearchParams({ query }).toString(),
  });
  expect(answer.statusCode).toBe(200);
  expect(workedMs() - startMs).toBeLessThan(5_000);
});

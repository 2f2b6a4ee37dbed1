import { tenantId } from "@sightline/model/tenant.ts";
import type { FastifyInstance } from "fastify";
import { beforeAll, describe, expect, test } from "vitest";
import { NOW_MS, prometheusApp } from "./prometheus-test-app.ts";

const at = (value: number): [number, number][] => [[NOW_MS - 60_000, value]];
let app: FastifyInstance;

beforeAll(async () => {
  app = await prometheusApp(
    [
      { labels: { __name__: "up", job: "api", instance: "a:1" }, samples: at(1) },
      { labels: { __name__: "up", job: "web", instance: "b:1" }, samples: at(0) },
      { labels: { __name__: "old", job: "api" }, samples: [[1_000, 1]] },
      { labels: { __name__: "http.server", "service.name": "shop <&>" }, samples: at(3) },
    ],
    {
      metadata: [
        { metric: "up", type: "gauge", unit: "", help: "Is it up?" },
        { metric: "requests", type: "counter", unit: "1", help: 'with "quotes"' },
      ],
    },
  );
});

async function ask(url: string, init: { method?: "GET" | "POST"; payload?: string; tenant?: string } = {}) {
  const form = init.payload === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
  const tenant = init.tenant === undefined ? {} : { "x-scope-orgid": init.tenant };
  const answer = await app.inject({
    method: init.method ?? "GET",
    url: `/api/v1/${url}`,
    headers: { ...form, ...tenant },
    ...(init.payload === undefined ? {} : { payload: init.payload }),
  });
  return { status: answer.statusCode, body: answer.body === "" ? "" : answer.json() };
}
const success = (data: unknown) => ({ status: 200, body: { status: "success", data } });
const failure = (error: string) => ({ status: 400, body: { status: "error", errorType: "bad_data", error } });

describe("labels", () => {
  test.each([
    ["labels", ["__name__", "instance", "job", "service.name"]],
    ["labels?match[]=up", ["__name__", "instance", "job"]],
    ["labels?match[]=old&match[]=http_none", ["__name__", "job"]],
    ["labels?start=1699999000&match[]=old", []],
  ])("%s", async (url, names) => expect(await ask(url)).toEqual(success(names)));

  test("of series chosen by another spelling of a label", async () => {
    expect(await ask("labels?match[]={service_name=~`shop.*`}")).toEqual(success(["__name__", "service.name"]));
  });

  test("as a posted form", async () => {
    expect(await ask("labels", { method: "POST", payload: "match[]=old" })).toEqual(success(["__name__", "job"]));
  });

  test("a limit cuts them and warns", async () => {
    expect(await ask("labels?limit=2")).toEqual({
      status: 200,
      body: {
        status: "success",
        data: ["__name__", "instance"],
        warnings: ["results truncated due to limit"],
      },
    });
  });

  test("another tenant sees none of it", async () => {
    expect(await ask("labels", { tenant: tenantId("other") })).toEqual(success([]));
  });
});

describe("label values", () => {
  test.each([
    ["label/job/values", ["api", "web"]],
    ["label/job/values?match[]=up{instance=~%22a.*%22}", ["api"]],
    ["label/job/values?match[]=up{job=%22web%22}&match[]=old", ["api", "web"]],
    ["label/U__service_2e_name/values", ["shop <&>"]],
    ["label/service.name/values", ["shop <&>"]],
    ["label/none/values", []],
  ])("%s", async (url, values) => expect(await ask(url)).toEqual(success(values)));
});

describe("series", () => {
  test("of several selectors come once each", async () => {
    const { body } = await ask("series?match[]=up{job=%22api%22}&match[]={job=%22api%22}&start=0");
    expect(body.data).toHaveLength(2);
    expect(body.data).toContainEqual({ __name__: "up", job: "api", instance: "a:1" });
    expect(body.data).toContainEqual({ __name__: "old", job: "api" });
  });

  test("are limited with a warning", async () => {
    const { body } = await ask("series", { method: "POST", payload: "match[]=up&limit=1" });
    expect(body.data).toHaveLength(1);
    expect(body.warnings).toEqual(["results truncated due to limit"]);
  });
});

describe("what is wrong is said in Prometheus' words", () => {
  test.each([
    ["series", "no match[] parameter provided"],
    ["series?match[]={}", 'invalid parameter "match[]": match[] must contain at least one non-empty matcher'],
    ["labels?match[]={a=~%22.*%22}", "match[] must contain at least one non-empty matcher"],
    ["labels?limit=-1", 'invalid parameter "limit": limit must be non-negative'],
    ["labels?limit=x", 'invalid parameter "limit": strconv.Atoi: parsing "x": invalid syntax'],
    [
      "labels?start=x",
      `invalid parameter "start": invalid time value for 'start': cannot parse "x" to a valid timestamp`,
    ],
    [
      "label/job/values?end=NaN",
      `invalid parameter "end": invalid time value for 'end': cannot parse "NaN" to a valid timestamp`,
    ],
    ["metadata?limit=x", "limit must be a number"],
    ["metadata?limit_per_metric=x", "limit_per_metric must be a number"],
    ["query_exemplars?query=up&start=5&end=4", "end timestamp must not be before start timestamp"],
  ])("%s", async (url, error) => expect(await ask(url)).toEqual(failure(error)));

  test("a selector that does not parse", async () => {
    const { status, body } = await ask("series?match[]=up{");
    expect(status).toBe(400);
    expect(body.error).toMatch(/^invalid parameter "match\[\]": 1:4: parse error: /);
  });
});

describe("metadata", () => {
  const up = { type: "gauge", unit: "", help: "Is it up?" };
  const requests = { type: "counter", unit: "1", help: 'with "quotes"' };
  test.each([
    ["metadata", { up: [up], requests: [requests] }],
    ["metadata?metric=up", { up: [up] }],
    ["metadata?metric=none", {}],
    ["metadata?limit=0", {}],
    ["metadata?limit=-1&limit_per_metric=1", { up: [up], requests: [requests] }],
  ])("%s", async (url, data) => expect(await ask(url)).toEqual(success(data)));
});

import type { FastifyInstance } from "fastify";
import { beforeAll, describe, expect, test } from "vitest";
import { NOW_MS, prometheusApp } from "./prometheus-test-app.ts";

let app: FastifyInstance;
beforeAll(async () => {
  app = await prometheusApp([{ labels: { __name__: "up" }, samples: [[NOW_MS, 1]] }]);
});

async function ask(url: string) {
  const answer = await app.inject(`/api/v1/${url}`);
  return { status: answer.statusCode, body: answer.json() };
}
const failure = (error: string) => ({ status: 400, body: { status: "error", errorType: "bad_data", error } });

test.each([
  ["rules", { groups: [] }],
  ["rules?type=Alert&exclude_alerts=T&match[]=up&rule_name[]=x&group_limit=5", { groups: [] }],
  ["alerts", { alerts: [] }],
  ["alertmanagers", { activeAlertmanagers: [], droppedAlertmanagers: [] }],
  ["targets", { activeTargets: [], droppedTargets: [], droppedTargetCounts: {} }],
  ["targets?state=ACTIVE&scrapePool=x", { activeTargets: [], droppedTargets: [], droppedTargetCounts: null }],
  ["targets/metadata?match_target={job=~`.*`}&metric=up&limit=1", []],
  ["scrape_pools", { scrapePools: [] }],
  ["notifications", []],
  ["status/walreplay", { min: 0, max: 0, current: 0 }],
  ["status/flags", { "query.timeout": "2m" }],
  ["status/config", { yaml: "listen: 127.0.0.1:4319\n" }],
])("%s", async (url, data) => expect(await ask(url)).toEqual({ status: 200, body: { status: "success", data } }));

test.each([
  ["rules?type=x", 'invalid parameter "type": not supported value "x"'],
  ["rules?match[]=up{", "1:4: parse error: unexpected end of input inside braces"],
  ["rules?match[]={}", "match[] must contain at least one non-empty matcher"],
  [
    "rules?exclude_alerts=x",
    'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax',
  ],
  [
    "rules?group_limit=x",
    'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
  ],
  ["rules?group_limit=0", 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
  [
    "rules?group_next_token=a",
    'invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups',
  ],
  [
    "rules?group_next_token=a&group_limit=1",
    "invalid parameter \"group_next_token\": invalid group_next_token 'a'. were rule groups changed?",
  ],
  ["targets/metadata?limit=x", "limit must be a number"],
  ["targets/metadata?match_target=up[5m]", 'invalid parameter "match_target": 1:3: parse error: unexpected "["'],
  ["status/tsdb?limit=x", "limit must be a positive number"],
  ["status/tsdb?limit=0", "limit must be a positive number"],
  ["status/tsdb?limit=10001", "limit must not exceed 10000"],
  ["status/tsdb?offset=-1", "offset must be a number from 0 to 40000"],
  ["targets/relabel_steps", "no scrapePool parameter provided"],
  ["targets/relabel_steps?scrapePool=p", "no labels parameter provided"],
  ["targets/relabel_steps?scrapePool=p&labels={}", 'error retrieving scrape config: scrape pool "p" not found'],
  ["scrape_pools/config?scrapePool=p", 'error retrieving scrape config: scrape pool "p" not found'],
])("%s is refused in Prometheus' words", async (url, error) => expect(await ask(url)).toEqual(failure(error)));

describe("the status of the server", () => {
  test("the build info is a Prometheus' without features, so that nobody takes us for Mimir", async () => {
    const { body } = await ask("status/buildinfo");
    expect(body.data).toMatchObject({ version: "3.14.0", revision: "abcdef", application: "Sightline 1.2.3" });
    expect(body.data).not.toHaveProperty("features");
  });

  test("the runtime info has Prometheus' fields", async () => {
    const { body } = await ask("status/runtimeinfo");
    expect(body.data).toMatchObject({
      startTime: "2023-11-14T21:13:20.000Z",
      serverTime: "2023-11-14T22:13:20.000Z",
      reloadConfigSuccess: true,
      storageRetention: "15d",
    });
    expect(Object.keys(body.data)).toHaveLength(13);
  });

  test("cardinality has Prometheus' shape", async () => {
    const { body } = await ask("status/tsdb?limit=1");
    const one = (name: string, value: number) => [{ name, value }];
    expect(body.data).toEqual({
      headStats: { numSeries: 1, numLabelPairs: 1, chunkCount: 1, minTime: NOW_MS - 7_200_000, maxTime: NOW_MS },
      seriesCountByMetricName: one("up", 1),
      labelValueCountByLabelName: one("__name__", 1),
      memoryInBytesByLabelName: one("__name__", 12),
      seriesCountByLabelValuePair: one("__name__=up", 1),
    });
  });

  test("churn names the metrics whose series came or went", async () => {
    const { body } = await ask("status/series_churn?window=10m");
    const seriesChurnByMetricName = [{ name: "up", added: 1, ended: 0 }];
    expect(body.data).toEqual({ windowSeconds: 600, kept: 0, added: 1, ended: 0, seriesChurnByMetricName });
  });

  test("features name what the language can do", async () => {
    const { body } = await ask("features");
    expect(body.data.promql_functions).toMatchObject({ rate: true, info: true, double_exponential_smoothing: true });
    expect(body.data.promql_operators).toMatchObject({ "</": true, atan2: true, limit_ratio: true });
    expect(body.data.api).toMatchObject({ admin: true, search: true });
  });

  test("no notification is coming: an event source is told to stay away", async () => {
    expect((await app.inject("/api/v1/notifications/live")).statusCode).toBe(204);
  });
});

test("a method that an endpoint does not have is refused with those it has", async () => {
  const posted = await app.inject({ method: "POST", url: "/api/v1/label/job/values" });
  expect([posted.statusCode, posted.headers.allow]).toEqual([405, "GET, OPTIONS"]);
  const got = await app.inject("/api/v1/admin/tsdb/snapshot");
  expect([got.statusCode, got.headers.allow]).toEqual([405, "OPTIONS, POST, PUT"]);
});

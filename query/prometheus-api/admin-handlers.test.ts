import type { FastifyInstance } from "fastify";
import { beforeEach, describe, expect, test } from "vitest";
import { NOW_MS, prometheusApp } from "./prometheus-test-app.ts";

const SECONDS = NOW_MS / 1000;
const rows = ["up", "down"].map((name) => ({
  labels: { __name__: name },
  samples: [0, 1, 2].map((i) => [NOW_MS - i * 60_000, i] as const),
}));

let app: FastifyInstance;
beforeEach(async () => {
  app = await prometheusApp(rows);
});
const admin = (what: string, method: "POST" | "PUT" = "POST", headers: Record<string, string> = {}) =>
  app.inject({ method, url: `/api/v1/admin/tsdb/${what}`, headers });
const count = async (name: string, tenant = "default") => {
  const url = `/api/v1/query?time=${SECONDS}&query=count_over_time(${name}[1h])`;
  const answer = await app.inject({ url, headers: { "x-scope-orgid": tenant } });
  return Number(answer.json().data.result[0]?.value[1] ?? 0);
};

describe("delete_series", () => {
  test.each(["POST", "PUT"] as const)("%s deletes and answers 204 without a body", async (method) => {
    const answer = await admin("delete_series?match[]=up", method);
    expect([answer.statusCode, answer.body]).toEqual([204, ""]);
    expect([await count("up"), await count("down")]).toEqual([0, 3]);
  });

  test.each([
    ["match[]=up&match[]=down", [0, 0]],
    ["match[]={__name__=~`u.*`}", [0, 3]],
    ["match[]={}", [0, 0]],
    [`match[]=up&start=${SECONDS - 60}`, [1, 3]],
    [`match[]=up&end=${SECONDS - 60}`, [1, 3]],
    [`match[]=up&start=${SECONDS - 60}&end=${SECONDS - 60}`, [2, 3]],
    [`match[]=up&start=${SECONDS}&end=${SECONDS - 60}`, [3, 3]],
    ["match[]=nothing", [3, 3]],
  ])("%s", async (parameters, want) => {
    expect((await admin(`delete_series?${parameters}`)).statusCode).toBe(204);
    expect([await count("up"), await count("down")]).toEqual(want);
  });

  test("takes a form", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const url = "/api/v1/admin/tsdb/delete_series";
    const answer = await app.inject({ method: "POST", url, headers, payload: "match%5B%5D=up" });
    expect(answer.statusCode).toBe(204);
    expect(await count("up")).toBe(0);
  });

  test("is about the tenant that asks", async () => {
    expect((await admin("delete_series?match[]=up", "POST", { "x-scope-orgid": "other" })).statusCode).toBe(204);
    expect(await count("up")).toBe(3);
  });

  test.each([
    ["", "no match[] parameter provided"],
    ["match[]=up{", 'invalid parameter "match[]": 1:4: parse error: unexpected end of input inside braces'],
    [
      "match[]=up&start=x",
      'invalid parameter "start": invalid time value for \'start\': cannot parse "x" to a valid timestamp',
    ],
    [
      "match[]=up&end=x",
      'invalid parameter "end": invalid time value for \'end\': cannot parse "x" to a valid timestamp',
    ],
  ])("%s is refused in Prometheus' words, and deletes nothing", async (parameters, error) => {
    const answer = await admin(
      `delete_series?match[]=down&${parameters}`.replace(parameters === "" ? "match[]=down&" : "", ""),
    );
    expect([answer.statusCode, answer.json()]).toEqual([400, { status: "error", errorType: "bad_data", error }]);
    expect(await count("down")).toBe(3);
  });
});

test("clean_tombstones answers 204", async () => {
  expect((await admin("clean_tombstones")).statusCode).toBe(204);
});

test("snapshot refuses what is no boolean", async () => {
  const error =
    'invalid parameter "skip_head": unable to parse boolean: strconv.ParseBool: parsing "x": invalid syntax';
  expect((await admin("snapshot?skip_head=x")).json()).toEqual({ status: "error", errorType: "bad_data", error });
});

test("all of it can be turned off", async () => {
  app = await prometheusApp(rows, { adminApi: false });
  for (const what of ["delete_series?match[]=up", "clean_tombstones", "snapshot"]) {
    const answer = await admin(what);
    expect([answer.statusCode, answer.json().errorType]).toEqual([500, "unavailable"]);
    expect(answer.json().error).toMatch(/^admin APIs disabled/);
  }
  expect(await count("up")).toBe(3);
});

test.each<[Record<string, string>, number]>([
  [{ "sec-fetch-site": "cross-site" }, 403],
  [{ "sec-fetch-site": "same-site" }, 403],
  [{ "sec-fetch-site": "same-origin" }, 204],
  [{ origin: "https://evil.example" }, 403],
  [{ origin: "null" }, 403],
  [{ origin: "http://localhost:4319" }, 204],
])("a request with %j is answered with %d", async (headers, status) => {
  expect((await admin("delete_series?match[]=up", "POST", { host: "localhost:4319", ...headers })).statusCode).toBe(
    status,
  );
});

import { decodeOtlpTraces } from "@sightline/proto/otlp/traces.ts";
import fastify from "fastify";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { OwnTraces } from "./own-traces.ts";

const MAX_BURST = 100;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";

/** What is kept of requests to `urls`, one after the other, and how many have no span. */
async function traced(
  urls: readonly string[],
  headers: Record<string, string> = {},
  slowMs = Number.POSITIVE_INFINITY,
) {
  const bodies: Uint8Array[] = [];
  const registry = new Registry();
  const traces = new OwnTraces({
    submit: async (_protocol, body) => {
      bodies.push(body);
    },
    resource: { version: "1", instance: "a" },
    registry,
    quickPerSecond: 0,
    slowMs,
  });
  const app = fastify();
  traces.trace(app);
  app.get("/api/v1/label/:name/values", async () => "[]");
  app.get("/broken", async (_request, reply) => reply.code(503).send());
  app.get("/metrics", async () => "");
  for (const url of urls) await app.inject({ url, headers });
  await traces.stop();
  const { values } = (await registry.getMetricsAsJSON())[0] as { values: { value: number }[] };
  return { batches: bodies.map((body) => decodeOtlpTraces(body, 0).batch), leftOut: values[0]?.value };
}

test("a span says what was asked, how it went and how long it took", async () => {
  const beforeNs = BigInt(Date.now() - 1) * 1_000_000n;
  const { batches } = await traced(["/api/v1/label/job/values?start=1"]);
  expect(batches).toMatchObject([{ names: ["GET /api/v1/label/:name/values"], parentSpanIds: [""] }]);
  const [batch] = batches;
  expect([...(batch?.kinds ?? []), ...(batch?.statusCodes ?? [])]).toEqual([2, 0]);
  expect(batch?.startsNs[0]).toBeGreaterThan(beforeNs);
  expect(batch?.durationsNs[0]).toBeGreaterThan(0n);
  expect(batch?.attributes.map(({ name, values }) => `${name}=${values[0]}`)).toEqual([
    "http.request.method=GET",
    "http.route=/api/v1/label/:name/values",
    "url.path=/api/v1/label/job/values",
    "http.response.status_code=200",
  ]);
});

test("of many quick requests only some have a span; the others are counted", async () => {
  const { batches, leftOut } = await traced(Array.from({ length: MAX_BURST + 7 }, () => "/api/v1/label/job/values"));
  expect(batches.reduce((sum, { length }) => sum + length, 0)).toBe(MAX_BURST);
  expect(leftOut).toBe(7);
});

test.each([
  ["failed", Array.from({ length: MAX_BURST + 7 }, () => "/broken"), {}, Number.POSITIVE_INFINITY],
  ["was slow", Array.from({ length: MAX_BURST + 7 }, () => "/api/v1/label/job/values"), {}, 0],
  [
    "is part of a trace that its caller records",
    Array.from({ length: MAX_BURST + 7 }, () => "/api/v1/label/job/values"),
    { traceparent: `00-${TRACE}-${CALLER}-01` },
    Number.POSITIVE_INFINITY,
  ],
])("every request that %s has a span", async (_, urls, headers: Record<string, string>, slowMs) => {
  const { batches, leftOut } = await traced(urls, headers, slowMs);
  expect(batches.reduce((sum, { length }) => sum + length, 0)).toBe(urls.length);
  expect(leftOut).toBe(0);
});

test("a span carries on the trace of the caller, unless that is not recorded", async () => {
  const url = "/api/v1/label/job/values";
  const { batches } = await traced([url], { traceparent: `00-${TRACE}-${CALLER}-01` });
  expect(batches).toMatchObject([{ traceIds: [TRACE], parentSpanIds: [CALLER] }]);
  expect((await traced([url], { traceparent: `00-${TRACE}-${CALLER}-00` })).batches).toEqual([]);
});

test("what probes and scrapers ask has no span", async () => {
  expect((await traced(["/metrics"])).batches).toEqual([]);
});

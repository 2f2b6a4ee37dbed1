import { gunzipSync } from "node:zlib";
import { LimitError, UnavailableError } from "@sightline/model/errors.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import fastify, { type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { type QueryRoute, registerQueryApi } from "./query-api.ts";
import { acceptsGzip, sendChunks } from "./send-chunks.ts";
import { TEST_DEPS } from "./test-app.ts";

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

function appWith(routes: readonly QueryRoute[], config = TEST_DEPS.config, registry?: Registry): FastifyInstance {
  const app = fastify();
  apps.push(app);
  registerQueryApi(app, { ...TEST_DEPS, config, registry }, (reply, { message }) => reply.send(message), routes);
  return app;
}

const echo: QueryRoute = {
  methods: ["GET", "POST"],
  url: "/echo",
  handler: async ({ parameters, tenant, reply }) =>
    reply.send({ tenant, query: parameters.get("query"), match: parameters.all("match[]") }),
};

test("parameters come from the form first, then from the URL", async () => {
  const answer = await appWith([echo]).inject({
    method: "POST",
    url: "/echo?query=url&match[]=c",
    headers: { "content-type": "application/x-www-form-urlencoded", "x-scope-orgid": "acme" },
    payload: "query=a%2Bb+c&match[]=a&match%5B%5D=b",
  });
  expect(answer.json()).toEqual({ tenant: "acme", query: "a+b c", match: ["a", "b", "c"] });
});

test("a body of another type is not looked at", async () => {
  const answer = await appWith([echo]).inject({
    method: "POST",
    url: "/echo?query=url",
    headers: { "content-type": "application/json" },
    payload: "{not json",
  });
  expect(answer.json()).toMatchObject({ query: "url" });
});

test("a body larger than query.max_form_bytes is refused", async () => {
  const app = appWith([echo], { ...TEST_DEPS.config, max_form_bytes: 100 });
  const answer = await app.inject({
    method: "POST",
    url: "/echo",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: `query=${"x".repeat(200)}`,
  });
  expect([answer.statusCode, answer.body]).toEqual([413, "the body is larger than query.max_form_bytes allows"]);
});

test("the form parser and the errors stay within the API", async () => {
  const app = appWith([echo]);
  app.post("/other", async () => "ok");
  const answer = await app.inject({
    method: "POST",
    url: "/other",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    payload: "a=b",
  });
  expect(answer.statusCode).toBe(415);
});

test("a client that goes away aborts its query", async () => {
  const { promise: aborted, resolve } = Promise.withResolvers<unknown>();
  const { promise: asked, resolve: begin } = Promise.withResolvers<void>();
  const app = appWith([
    {
      methods: ["GET"],
      url: "/slow",
      gated: true,
      handler: ({ signal, reply }) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            resolve(signal.reason);
            reject(signal.reason);
          });
          void reply;
          begin();
        }),
    },
  ]);
  const base = await app.listen({ port: 0, host: "127.0.0.1" });
  const client = new AbortController();
  const request = fetch(`${base}/slow`, { signal: client.signal }).catch(() => undefined);
  await asked;
  client.abort();
  expect(await aborted).toMatchObject({ name: "CancelledError" });
  await request;
});

test.each([
  [new UnavailableError("the store is down", { retryAfterMs: 1_500 }), 503, "the store is down", "2"],
  [new Error("secret"), 500, "internal error; the server's log says more", undefined],
])("%s is answered with %d %s", async (error, status, message, retryAfter) => {
  const app = appWith([{ methods: ["GET"], url: "/fails", gated: true, handler: () => Promise.reject(error) }]);
  const answer = await app.inject("/fails");
  expect([answer.statusCode, answer.body, answer.headers["retry-after"]]).toEqual([status, message, retryAfter]);
});

test("requests and failures are counted", async () => {
  const registry = new Registry();
  const fails: QueryRoute = {
    methods: ["GET"],
    url: "/fails/:id",
    handler: () => Promise.reject(new LimitError("too much (query.max_samples)")),
  };
  const app = appWith([echo, fails], TEST_DEPS.config, registry);
  appWith([], TEST_DEPS.config, registry);
  await app.inject("/echo");
  await app.inject("/fails/1");
  const metrics = await registry.metrics();
  expect(metrics).toContain('sightline_query_request_duration_seconds_count{route="/echo",status="200"} 1');
  expect(metrics).toContain('sightline_query_request_duration_seconds_count{route="/fails/:id",status="422"} 1');
  expect(metrics).toContain('sightline_query_failures_total{reason="LimitError"} 1');
});

function* manyPieces(count: number): Generator<string> {
  for (let i = 0; i < count; i++) yield `${i},`;
}

test("a long answer is sent in chunks and lets others work in between", async () => {
  const count = 3_000_000;
  const app = appWith([
    {
      methods: ["GET"],
      url: "/long",
      handler: ({ request, reply }) => sendChunks(request, reply, "text/plain", manyPieces(count)),
    },
  ]);
  let longestMs = 0;
  let lastMs = workedMs();
  const ticker = setInterval(() => {
    const nowMs = workedMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  }, 1);
  const base = await app.listen({ port: 0, host: "127.0.0.1" });
  const body = await (await fetch(`${base}/long`, { headers: { "accept-encoding": "identity" } })).text();
  clearInterval(ticker);
  expect(body.length).toBe(manyPieces(count).reduce((length, piece) => length + piece.length, 0));
  expect(longestMs).toBeLessThan(300);
});

test("pieces of text and of bytes, which may change once they are taken, make one answer", async () => {
  const shared = Buffer.alloc(100_000);
  function* mixed(): Generator<string | Uint8Array> {
    for (const length of [0, 3, 70_000, 1, 100_000, 64 * 1024, 5]) {
      yield `"é€${length}":`;
      shared.fill(String(length).at(-1) as string);
      yield shared.subarray(0, length);
    }
    yield "end".repeat(30_000);
  }
  const app = appWith([
    {
      methods: ["GET"],
      url: "/mixed",
      handler: ({ request, reply }) => sendChunks(request, reply, "text/plain", mixed()),
    },
  ]);
  const { body } = await app.inject("/mixed");
  expect(body === Array.from(mixed(), String).join("")).toBe(true);
});

test("gzip is used when the client accepts it and it is worth it", async () => {
  const route = (url: string, count: number): QueryRoute => ({
    methods: ["GET"],
    url,
    handler: ({ request, reply }) => sendChunks(request, reply, "text/plain", manyPieces(count)),
  });
  const app = appWith([route("/long", 100_000), route("/short", 3)]);
  const headers = { "accept-encoding": "br, gzip" };
  const long = await app.inject({ url: "/long", headers });
  expect(long.headers["content-encoding"]).toBe("gzip");
  expect(gunzipSync(long.rawPayload).toString()).toBe([...manyPieces(100_000)].join(""));
  const short = await app.inject({ url: "/short", headers });
  expect(short.headers["content-encoding"]).toBeUndefined();
  expect(short.headers["content-length"]).toBe("6");
});

test.each([
  [undefined, false],
  ["gzip", true],
  ["deflate, GZIP;q=0.5", true],
  ["gzip;q=0", false],
  ["gzip;q=0.000", false],
  ["identity", false],
])("accept-encoding %j: gzip %s", (header, want) => expect(acceptsGzip(header)).toBe(want));

import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, call } from "./harness/http-call.ts";
import { patientMs } from "./harness/patience.ts";
import { remoteWrite } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";
import { smallQueriesBeside } from "./harness/small-queries.ts";
import { BAD_REQUESTS } from "./hostile-queries/bad-parameters.ts";
import { COSTLY } from "./hostile-queries/costly-promql.ts";
import { MALFORMED } from "./hostile-queries/malformed-promql.ts";
import { BAD_LOG_REQUESTS, BAD_LOGQL, BAD_TRACE_REQUESTS } from "./hostile-queries/other-languages.ts";

const SERIES = 40_000;
const NOW_SECONDS = Math.floor(Date.now() / 60_000) * 60;
/** What a refusal may take, and a small query beside a large one. */
const PATIENCE_MS = patientMs(1_000);
/** What a limit on results may take that shows only when most of them are there, as of operations between large vectors. */
const SAMPLES_MS = patientMs(3_000);
/** Fifty million samples are 450 MB of values; some operations hold them twice. */
const MAX_MEMORY_MIB = 2_500;
const MAX_ERROR_LENGTH = 5_000;
const FORM = { "content-type": "application/x-www-form-urlencoded" };

let server: ServerProcess;
const startSmallQueries = smallQueriesBeside(() => server, { patienceMs: PATIENCE_MS, maxMemoryMiB: MAX_MEMORY_MIB });
beforeAll(async () => {
  server = await ServerProcess.start();
  for (let from = 0; from < SERIES; from += 5_000) await write(from, from + 5_000);
  await remoteWrite(server.url, 1, [{ labels: [["__name__", "canary"]], samples: [sample(0, 1)] }]);
  await post("/api/v1/query", { query: "count(big)" });
  startSmallQueries(["vector(1)", `canary @ ${NOW_SECONDS}`, `count(big{i="00007"} @ ${NOW_SECONDS})`]);
});

const sample = (minutesAgo: number, value: number) => ({ timeMs: (NOW_SECONDS - 60 * minutesAgo) * 1_000, value });

function write(from: number, to: number): Promise<Answer> {
  const series = Array.from({ length: to - from }, (_, index) => {
    const i = from + index;
    const labels = [
      ["__name__", "big"],
      ["i", String(i).padStart(5, "0")],
      ["mod", String(i % 200)],
    ] as const;
    return { labels, samples: Array.from({ length: 10 }, (_, at) => sample(9 - at, i + at)) };
  });
  return remoteWrite(server.url, 1, series);
}

type Timed = Answer & { readonly ms: number };

async function timed(answering: Promise<Answer>): Promise<Timed> {
  const began = performance.now();
  return { ...(await answering), ms: performance.now() - began };
}

const post = (path: string, parameters: Record<string, string>): Promise<Timed> =>
  timed(call(`${server.url}${path}`, { headers: FORM, body: new URLSearchParams(parameters).toString() }));
const get = (path: string): Promise<Timed> => timed(call(`${server.url}${path}`));

/** An error as Prometheus sends it, in time. */
function expectError(answer: Timed, error: RegExp, status: number, withinMs = PATIENCE_MS): void {
  expect(answer.text.slice(0, 300)).toMatch(/^\{"status":"error"/);
  const body = JSON.parse(answer.text) as { status: string; errorType: string; error: string };
  expect(body.error).toMatch(error);
  expect({ status: answer.status, errorType: body.errorType }).toEqual({
    status,
    errorType: { 400: "bad_data", 413: "bad_data", 422: "execution" }[status],
  });
  expect(body.error.length).toBeLessThan(MAX_ERROR_LENGTH);
  expect(answer.headers["content-type"]).toBe("application/json");
  expect(answer.ms).toBeLessThan(withinMs);
}

function expectAnswer(answer: Timed): void {
  expect({ status: answer.status, text: answer.text.slice(0, 300) }).toMatchObject({ status: 200 });
  expect(answer.text).toMatch(/^\{"status":"success"/);
}

const SPAN = { start: String(NOW_SECONDS - 600), end: String(NOW_SECONDS), step: "60" };

describe("a malformed query is refused alike by all that read queries", () => {
  test.each(MALFORMED)("%s", async (_, query, error) => {
    for (const [path, parameters] of [
      ["query", { time: String(NOW_SECONDS) }],
      ["query_range", SPAN],
      ["format_query", {}],
      ["parse_query", {}],
    ] as const) {
      const answer = await post(`/api/v1/${path}`, { query, ...parameters });
      // Evaluating finds what parsing can't: durations that depend on the range, strings over a range.
      const isOnlyParsed = path === "format_query" || path === "parse_query";
      if (error === "ok" || (isOnlyParsed && answer.status === 200)) expectAnswer(answer);
      else expectError(answer, error, 400);
    }
  });
});

describe("a query that would take too much stops, naming the setting", () => {
  test.each(COSTLY.map(([name, query, outcome, range]) => [name, query, outcome, range] as const))(
    "%s",
    async (_, query, outcome, range) => {
      const seconds = range === "600 steps" ? 600 : 11_000;
      const answer =
        range === undefined
          ? await post("/api/v1/query", { query, time: String(NOW_SECONDS) })
          : await post("/api/v1/query_range", {
              query,
              start: String(NOW_SECONDS - seconds),
              end: String(NOW_SECONDS),
              step: "1",
            });
      if (outcome === "answer") expectAnswer(answer);
      else expectError(answer, outcome, answer.status === 400 ? 400 : 422, SAMPLES_MS);
    },
  );
});

describe("a request with bad parameters is refused as Prometheus does", () => {
  test.each(BAD_REQUESTS.map(([path, error, status]) => [path.slice(0, 100), path, error, status] as const))(
    "GET %s",
    async (_, path, error, status = 400) => {
      const answer = await get(`/api/v1/${path}`);
      if (error === "ok") expectAnswer(answer);
      else expectError(answer, error, status);
    },
  );
});

describe("bodies", () => {
  const huge = "a".repeat(10_000_000);

  test.each(["query", "query_range", "query_exemplars", "format_query", "parse_query", "series", "labels"])(
    "10 MB posted to %s are refused, naming the setting",
    async (path) => {
      expectError(await post(`/api/v1/${path}`, { query: huge }), /query\.max_form_bytes/, 413);
    },
  );

  test("a query of 1 MB in a form is refused, naming the setting", async () => {
    const answer = await post("/api/v1/query", { query: "a".repeat(1_010_000) });
    expectError(answer, /query\.max_query_bytes/, 422);
  });

  test("10 MB in a URL are refused", async () => {
    expect(await get(`/api/v1/query?query=${huge}`)).toMatchObject({ status: 431 });
  });

  test.each(["application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense"])(
    "what is posted as %s is not read",
    async (type) => {
      const answering = call(`${server.url}/api/v1/query`, {
        headers: { "content-type": type },
        body: '{"query":"1"}',
      });
      expectError(await timed(answering), /no expression found in input/, 400);
    },
  );

  test.each(["PUT", "DELETE", "PATCH"])("%s is not a way to ask", async (method) => {
    expect(await timed(call(`${server.url}/api/v1/query?query=1`, { method }))).toMatchObject({ status: 405 });
  });
});

describe("federation", () => {
  test.each([
    ["nothing", "", 200],
    ["no selector", "match[]=%7B", 400],
    ["bad UTF-8", "match[]=up{a=%22%FF%22}", 400],
    ["a bad expression", "match[]={a=~%22(%22}", 400],
    ["10,000 selectors", Array.from({ length: 10_000 }, (_, i) => `match[]=big{i="${i}"}`).join("&"), 200],
    ["40,000 series", "match[]=big", 200],
  ])("of %s", async (_, parameters, status) => {
    expect((await get(`/federate?${parameters}`)).status).toBe(status);
  });
});

describe("remote read", () => {
  const read = (body: Uint8Array) =>
    timed(
      call(`${server.url}/api/v1/read`, {
        headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy" },
        body,
      }),
    );
  /** Snappy that says it is of `claim` bytes and repeats one byte as often. */
  const bomb = (claim: number) => {
    const length: number[] = [];
    for (let rest = claim; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) {
        length.push(rest);
        break;
      }
      length.push((rest % 128) | 128);
    }
    // A literal byte, then copies of 64 bytes from one byte back.
    return Buffer.concat([Buffer.from([...length, 0, 0x0a]), Buffer.alloc(900_000, Buffer.from([0xfe, 1, 0]))]);
  };

  test.each([
    ["nothing", Buffer.alloc(0), 400],
    ["garbage", Buffer.alloc(1_000, "garbage"), 400],
    ["an empty request", Buffer.from([0]), 200],
    ["a length of 4 GB", Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]), 400],
    ["19 MB in 900 kB", bomb(64 * 300_000 + 1), 400],
    ["a query that ends early", Buffer.from([3, 8, 0x0a, 0x7f, 0x08]), 400],
    ["10 MB", Buffer.alloc(10_000_000), 400],
  ])("of %s", async (_, body, status) => {
    const answer = await read(body);
    expect(answer).toMatchObject({ status });
    if (status === 400) expect(answer.text.length).toBeGreaterThan(5);
    expect(answer.ms).toBeLessThan(PATIENCE_MS);
  });
});

describe("LogQL", () => {
  const times = { start: String((NOW_SECONDS - 600) * 1e9), end: String(NOW_SECONDS * 1e9), step: "60" };
  test.each(BAD_LOGQL)("%s", async (_, query, error) => {
    const answer = await post("/loki/api/v1/query_range", { query, ...times });
    if (error === "ok" || (error === "any" && answer.status === 200)) return expectAnswer(answer);
    if (error !== "any") expect(answer.text).toMatch(error);
    expect(answer.status).toBe(400);
    expect(answer.text.length).toBeLessThan(MAX_ERROR_LENGTH);
    expect(answer.ms).toBeLessThan(PATIENCE_MS);
  });

  test.each(BAD_LOG_REQUESTS)("GET %s", async (path, error) => {
    const answer = await get(`/loki/api/v1/${path}`);
    if (error === "ok") return expectAnswer(answer);
    expect(answer.text).toMatch(error);
    expect(answer).toMatchObject({ status: 400 });
  });
});

describe("traces", () => {
  test.each(BAD_TRACE_REQUESTS)("GET %s is answered with %i", async (path, status) => {
    const answer = await get(path);
    expect({ status: answer.status, text: answer.text.slice(0, 300) }).toMatchObject({ status });
    expect(answer.text).not.toBe("");
  });
});

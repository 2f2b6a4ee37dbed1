import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { UnavailableError } from "@sightline/model/errors.ts";
import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { openSearchConfig } from "../config.ts";
import { type FakeAnswer, FakeCluster, type SeenRequest } from "./fake-cluster.ts";
import { OpenSearchConnection, type OpenSearchRequest, RefusedError } from "./open-search-connection.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function cluster(answer: (request: SeenRequest, count: number) => FakeAnswer | Promise<FakeAnswer>) {
  const started = await FakeCluster.start(answer);
  stops.push(() => started.stop());
  return started;
}
function connect(nodes: readonly string[], settings: object = {}, registry = new Registry()) {
  const connection = new OpenSearchConnection(
    openSearchConfig.parse({ nodes, max_retries: 1, restart_wait: "0s", ...settings }),
    registry,
  );
  stops.push(() => connection.close());
  return connection;
}
const search = { method: "POST", path: "/_search", body: { size: 1 } } as const;

test("gives status and body, and takes statuses that are no errors as answers", async () => {
  const { url } = await cluster(({ path }) =>
    path === "/a" ? { status: 404, body: { found: false } } : { body: { took: 1 } },
  );
  const connection = connect([url]);
  expect(await connection.send("x", search)).toMatchObject({ status: 200, body: { took: 1 } });
  const request = { method: "GET", path: "/a", accept: [404] } as const;
  expect(await connection.send("x", request)).toMatchObject({ status: 404, body: { found: false } });
});

test("asks the next node when one is not there or breaks off", async () => {
  const broken = await cluster(() => ({ hangUp: true }));
  const whole = await cluster(() => ({ body: { node: 2 } }));
  const connection = connect([broken.url, whole.url]);
  for (let i = 0; i < 3; i++) expect(await connection.send("x", search)).toMatchObject({ body: { node: 2 } });
});

describe("errors", () => {
  const error = (type: string, reason: string) => ({
    error: { root_cause: [{ type, reason }], type, reason },
    status: 0,
  });

  test.each([401, 403, 429, 503, 504])("status %s may pass: UnavailableError", async (status) => {
    const { url } = await cluster(() => ({ status, body: { ...error("some_exception", "too busy"), status } }));
    await expect(connect([url]).send("searching", search)).rejects.toThrow(UnavailableError);
    await expect(connect([url]).send("searching", search)).rejects.toThrow(/searching: \d+ some_exception: too busy/);
  });

  test("status 400 does not: RefusedError", async () => {
    const { url } = await cluster(() => ({
      status: 400,
      body: { ...error("parsing_exception", "unknown query"), status: 400 },
    }));
    await expect(connect([url]).send("searching", search)).rejects.toThrow(RefusedError);
  });

  test("nobody there: UnavailableError", async () => {
    const gone = await FakeCluster.start(() => ({}));
    const { url } = gone;
    await gone.stop();
    await expect(connect([url]).send("searching", search)).rejects.toThrow(UnavailableError);
  });

  test("no answer in time: UnavailableError", async () => {
    const { url } = await cluster(() => new Promise<FakeAnswer>(() => {}));
    const connection = connect([url], { request_timeout: "50ms", max_retries: 0 });
    await expect(connection.send("searching", search)).rejects.toThrow(UnavailableError);
  });

  test("an aborted request ends with the reason", async () => {
    const { url } = await cluster(() => new Promise<FakeAnswer>(() => {}));
    const controller = new AbortController();
    const answer = connect([url]).send("searching", search, controller.signal);
    controller.abort(new Error("the client went away"));
    await expect(answer).rejects.toThrow("the client went away");
  });
});

test("the password is sent and shows nowhere else", async () => {
  const dir = mkdtempSync(join(tmpdir(), "opensearch-password-"));
  stops.push(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, "password"), "s3cret-word\n");
  const { url, seen } = await cluster(() => ({ status: 401, body: { error: "Unauthorized" } }));
  const connection = connect([url], { username: "sightline", password_file: join(dir, "password") });
  const failure = await connection.send("searching", search).catch((error: unknown) => error);
  const encoded = Buffer.from("sightline:s3cret-word").toString("base64");
  expect(seen[0]?.auth).toBe(`Basic ${encoded}`);
  const shown = inspect([failure, connection], { depth: 20, showHidden: true });
  expect(shown).not.toMatch(/s3cret-word/);
  expect(shown).not.toContain(encoded);
});

const reject = (type: string, reason: string) => ({ status: 503, body: { error: { type, reason, root_cause: [] } } });

test.each([
  ["search_phase_execution_exception", "Search rejected due to missing shards [[logs][0]]"],
  ["search_phase_execution_exception", "all shards failed"],
  ["no_shard_available_action_exception", "No shard available for [logs]"],
])("a search waits for shards that are not there yet: %s, %s", async (type, reason) => {
  const { url } = await cluster((_, count) => (count < 3 ? reject(type, reason) : { body: { found: 1 } }));
  const connection = connect([url], { max_retries: 0 });
  const { body } = await connection.send("searching", { method: "POST", path: "/logs-*/_search", body: {} });
  expect(body).toEqual({ found: 1 });
});

test("nothing but searches waits for shards", async () => {
  const { url, seen } = await cluster(() => reject("no_shard_available_action_exception", "none"));
  const get = { method: "GET", path: "/state/_doc/a" } as const;
  await expect(connect([url], { max_retries: 0 }).send("reading", get)).rejects.toThrow(/no_shard_available/);
  expect(seen).toHaveLength(1);
});

describe("while the cluster is away", () => {
  const search = { method: "POST", path: "/logs-*/_search", body: {} } as const;
  const away = { status: 503, body: { error: { type: "cluster_block_exception", reason: "state not recovered" } } };

  test.each<[string, FakeAnswer]>([
    ["nobody answers", { hangUp: true }],
    ["it is not ready", away],
    ["its shards are absent", reject("no_shard_available_action_exception", "none")],
  ])("a search waits when %s, and says so", async (_, missing) => {
    const registry = new Registry();
    const { url } = await cluster((_, count) => (count < 4 ? missing : { body: { found: 1 } }));
    const connection = connect([url], { max_retries: 0, restart_wait: "1h" }, registry);
    expect(await connection.send("searching", search)).toMatchObject({ body: { found: 1 } });
    const waits = registry.getSingleMetric("sightline_opensearch_waits_total");
    expect((await waits?.get())?.values).toMatchObject([{ labels: { result: "answered" }, value: 1 }]);
  });

  test("a search waits no longer than restart_wait, and later ones not at all", async () => {
    const { url, seen } = await cluster(() => away);
    const connection = connect([url], { max_retries: 0, restart_wait: "100ms" });
    await expect(connection.send("searching", search)).rejects.toThrow(UnavailableError);
    expect(seen.length).toBeGreaterThan(1);
    const before = seen.length;
    await expect(connection.send("searching", search)).rejects.toThrow(UnavailableError);
    expect(seen).toHaveLength(before + 1);
  });

  test.each<[string, object]>([
    ["what is no search", { method: "GET", path: "/state/_doc/a" }],
    ["closing a point in time", { method: "DELETE", path: "/_search/point_in_time", body: {} }],
  ])("%s does not wait", async (_, request) => {
    const { url, seen } = await cluster(() => away);
    const connection = connect([url], { max_retries: 0, restart_wait: "1h" });
    await expect(connection.send("asking", request as OpenSearchRequest)).rejects.toThrow(UnavailableError);
    expect(seen).toHaveLength(1);
  });

  test.each([429, 403])("a search does not wait for status %s", async (status) => {
    const { url, seen } = await cluster(() => ({ status, body: {} }));
    const connection = connect([url], { max_retries: 0, restart_wait: "1h" });
    await expect(connection.send("searching", search)).rejects.toThrow(UnavailableError);
    expect(seen).toHaveLength(1);
  });

  test("who goes away waits no longer", async () => {
    const controller = new AbortController();
    const { url } = await cluster(() => {
      controller.abort(new Error("the client went away"));
      return away;
    });
    const connection = connect([url], { max_retries: 0, restart_wait: "1h" });
    await expect(connection.send("searching", search, controller.signal)).rejects.toThrow("the client went away");
  });

  test("closing the connection ends the wait with what was wrong", async () => {
    const asked = Promise.withResolvers<void>();
    const { url } = await cluster(() => {
      asked.resolve();
      return away;
    });
    const connection = connect([url], { max_retries: 0, restart_wait: "1h" });
    const answer = expect(connection.send("searching", search)).rejects.toThrow(UnavailableError);
    await asked.promise;
    await connection.close();
    await answer;
  });
});

test("a password file that is not there is named", () => {
  expect(() =>
    connect([], { nodes: ["http://127.0.0.1:1"], username: "a", password_file: "/nowhere/password" }),
  ).toThrow(/storage.opensearch.password_file: .*\/nowhere\/password/);
});

test.each(["http://user:word@node:9200", "ftp://node", "node:9200"])("nodes: %s is no good", (node) => {
  expect(openSearchConfig.safeParse({ nodes: [node] }).success).toBe(false);
});

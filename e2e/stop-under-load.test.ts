import { setTimeout as sleep } from "node:timers/promises";
import { compressSync } from "snappy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Ask } from "./harness/ask.ts";
import { eventually } from "./harness/eventually.ts";
import { encodeLogs } from "./harness/otlp.ts";
import { RawClient } from "./harness/raw-client.ts";
import { encodeRemoteWrite1, REMOTE_WRITE_1 } from "./harness/remote-write.ts";
import { ServerProcess } from "./harness/server-process.ts";

/**
 * A server that ends a connection on which nothing is asked can't know that a request is on its way: it is then told "ended"
 * instead of an answer, as by any HTTP/1.1 server, and clients send it again elsewhere. What must not be is a reset, which
 * may also take an answer with it, and a request without an answer that was kept.
 */
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start();
});
afterAll(() => server.dispose());

const startMs = Date.now() - 60_000;
const OTLP = { "content-type": "application/x-protobuf" };
const sampleOf = (name: string, i: number) =>
  compressSync(encodeRemoteWrite1([{ labels: [["__name__", name]], samples: [{ timeMs: startMs + i, value: i }] }]));
const isTold = (status: number) => (status >= 200 && status < 300) || status === 503;

type Writer = { readonly name: string; readonly pauseMs: number; acknowledged: number; unanswered?: "ended" | "reset" };

/** Posts over one connection until the server ends it; pauses only between requests. */
async function load(writer: Writer): Promise<void> {
  const { name, pauseMs } = writer;
  const client = await RawClient.open(server.url);
  try {
    for (let i = 0; ; i++) {
      const outcome = await client.post("/api/v1/write", REMOTE_WRITE_1, sampleOf(name, i));
      if (typeof outcome === "string") {
        writer.unanswered = outcome;
        return;
      }
      expect(outcome.status).toSatisfy(isTold);
      if (outcome.status < 300) writer.acknowledged++;
      if (outcome.closes) {
        expect(await client.end()).toBe("ended");
        return;
      }
      if (pauseMs > 0) await sleep(pauseMs);
    }
  } finally {
    client.close();
  }
}

test("SIGTERM resets no connection: each request is answered, or its connection had been ended", async () => {
  const pauses = [0, 0, 0, 0, 7, 30, 90, 250];
  const writers = pauses.map((pauseMs, i): Writer => ({ name: `stop_${i}`, pauseMs, acknowledged: 0 }));
  const loads = Promise.all(writers.map(load));
  const idle = await Promise.all([server.url, server.otlpHttp, server.url].map((url) => RawClient.open(url)));
  const halfway = await RawClient.open(server.otlpHttp);
  const body = encodeLogs("stopped", [{ timeNs: BigInt(Date.now()) * 1_000_000n, body: "half was sent before" }]);
  const head = Object.entries({ ...OTLP, host: "x", "content-length": String(body.length), expect: "100-continue" });
  halfway.write(`POST /v1/logs HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  // The server has seen the head of this one.
  expect(await halfway.answer()).toMatchObject({ status: 100 });
  halfway.write(body.subarray(0, 10));
  expect(await idle[0]?.post("/v1/logs", OTLP, encodeLogs("idle", []))).toMatchObject({ status: 200, closes: false });
  await eventually(async () => expect(Math.min(...writers.map((writer) => writer.acknowledged))).toBeGreaterThan(3));

  const exited = server.stop();
  await eventually(async () => expect(server.stderr).toContain("stopping: draining requests"));
  halfway.write(body.subarray(10));
  expect(await halfway.answer()).toMatchObject({ status: 200, closes: true });
  expect(await halfway.end()).toBe("ended");
  for (const client of idle) expect(await client.end()).toBe("ended");
  await loads;
  expect(await exited).toBe(0);
  expect(writers.filter(({ unanswered }) => unanswered === "reset")).toEqual([]);

  await server.restart();
  const ask = new Ask(server.url);
  for (const { name, acknowledged } of writers) expect(await ask.samples(name)).toHaveLength(acknowledged);
});

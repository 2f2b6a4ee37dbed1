import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { lokiPushJsonToProtobuf } from "@sightline/proto/loki/push-json.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "./testing/eventually.ts";
import { down, IngestBed, namedRequest, nameOf, namesOf, numbered } from "./testing/ingest-bed.ts";
import { RecordingStore } from "./testing/recording-store.ts";

let bed: IngestBed;
beforeEach(() => {
  bed = new IngestBed();
});
afterEach(() => bed.dispose());

const busy = () => new UnavailableError("busy", { retryAfterMs: 1, isBusy: true });

test("after a crash the store gets what it lost, once", async () => {
  const logs = new RecordingStore<LogBatch>();
  const traces = new RecordingStore<SpanBatch>();
  const { ingest } = await bed.start({ logs, traces });
  for (const name of numbered(30)) await ingest.submit(namedRequest(name));
  await logs.flush();
  for (const name of numbered(30, "late")) await ingest.submit(namedRequest(name));
  for (const name of numbered(30, "span")) await ingest.submit(namedRequest(name, "otlp-traces-json"));
  await bed.crash();
  logs.crash();
  traces.crash();
  expect(namesOf(logs)).toEqual(numbered(30));
  const again = await bed.start({ logs, traces });
  expect(namesOf(logs)).toEqual([...numbered(30), ...numbered(30, "late")]);
  expect(namesOf(traces)).toEqual(numbered(30, "span"));
  await again.ingest.submit(namedRequest("new"));
  expect(namesOf(logs).at(-1)).toBe("new");
});

test("a record that can't be decoded any more is put aside, and the rest is replayed", async () => {
  const logs = new RecordingStore<LogBatch>();
  const { ingest, wal } = await bed.start({ logs });
  await ingest.submit(namedRequest("a"));
  await wal.append(namedRequest("bad since the update"));
  await ingest.submit(namedRequest("b"));
  await bed.crash();
  logs.crash();
  await bed.start({ logs });
  expect(namesOf(logs)).toEqual(["a", "b"]);
  expect(await bed.letters()).toMatchObject([{ reason: "undecodable" }]);
});

test("large requests in JSON are replayed in order, as protobuf, and what is none is put aside", async () => {
  const logs = new RecordingStore<LogBatch>();
  const { wal } = await bed.start({ logs });
  const values = Array.from({ length: 20_000 }, (_, i) => [String(i), `line ${i} of a large push`]);
  const body = Buffer.from(JSON.stringify({ streams: [{ stream: { app: "shop" }, values }] }));
  const push = { ...namedRequest("", "loki-push-json"), body };
  await wal.append(namedRequest("before"));
  await wal.append(push);
  await wal.append({ ...push, encoding: "gzip", body: gzipSync(body, { level: 0 }) });
  await wal.append({ ...push, body: Buffer.concat([body, Buffer.from("}")]) });
  await wal.append(namedRequest("after"));
  await bed.crash();
  await bed.start({ logs });
  const protobuf = Buffer.from(lokiPushJsonToProtobuf(body)).toString();
  expect(namesOf(logs).map((name) => (name === protobuf ? "protobuf" : name))).toEqual([
    "before",
    "protobuf",
    "protobuf",
    "after",
  ]);
  expect(await bed.letters()).toMatchObject([{ reason: "undecodable" }]);
});

test("starting does not wait for a store that is down", async () => {
  const logs = new RecordingStore<LogBatch>();
  const first = await bed.start({ logs });
  for (const name of numbered(10)) await first.ingest.submit(namedRequest(name));
  await bed.crash();
  logs.crash();
  logs.onAppend = () => Promise.reject(down());
  const { ingest } = await bed.start({ logs });
  await ingest.submit(namedRequest("new"));
  expect(namesOf(logs)).toEqual([]);
  logs.onAppend = () => {};
  await eventually(() => expect(namesOf(logs)).toEqual([...numbered(10), "new"]));
});

test("starting waits for a store that is only busy: what was acknowledged is there then", async () => {
  const logs = new RecordingStore<LogBatch>();
  const first = await bed.start({ logs });
  for (const name of numbered(30)) await first.ingest.submit(namedRequest(name));
  await bed.crash();
  logs.crash();
  logs.calls.splice(0);
  logs.onAppend = (batch, position) => {
    const isFirstTry = logs.calls.indexOf(position) === logs.calls.length - 1;
    if (isFirstTry && Number(nameOf(batch).slice(1)) % 7 === 3) return Promise.reject(busy());
    return undefined;
  };
  await bed.start({ logs });
  expect(namesOf(logs)).toEqual(numbered(30));
  expect(await bed.counter("sightline_store_retries_total")).toBe(4);
  expect(await bed.counter("sightline_store_behind")).toBe(0);
});

test("as long as a store lacks what was acknowledged, that is told", async () => {
  const logs = new RecordingStore<LogBatch>();
  const { ingest } = await bed.start({ logs });
  logs.onAppend = () => Promise.reject(busy());
  await ingest.submit(namedRequest("late"));
  expect(await bed.counter("sightline_store_behind")).toBe(1);
  logs.onAppend = () => {};
  await eventually(async () => expect(await bed.counter("sightline_store_behind")).toBe(0));
  expect(namesOf(logs)).toEqual(["late"]);
});

test("stopping answers what is in, refuses what is new and leaves nothing to replay", async () => {
  const logs = new RecordingStore<LogBatch>();
  const { ingest, wal } = await bed.start({ logs });
  logs.onAppend = () => sleep(5);
  const answers = numbered(20).map((name) => ingest.submit(namedRequest(name)));
  await sleep(1);
  const stopping = ingest.stop();
  await expect(ingest.submit(namedRequest("late"))).rejects.toThrow(UnavailableError);
  expect((await Promise.all(answers)).every(({ accepted }) => accepted === 1)).toBe(true);
  await stopping;
  await ingest.stop();
  expect(wal.replayFrom).toBe(wal.lastPosition + 1);
  logs.calls.splice(0);
  await bed.crash();
  await bed.start({ logs });
  expect(logs.calls).toEqual([]);
});

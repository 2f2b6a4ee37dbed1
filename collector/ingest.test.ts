import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { InvalidInputError, TooManyRequestsError, UnavailableError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { lokiPushJsonToProtobuf } from "@sightline/proto/loki/push-json.ts";
import type { Decoded, Protocol, WireRequest } from "@sightline/proto/wire-request.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectorConfig } from "./config.ts";
import { listDeadLetters } from "./dead-letters/dead-letter-file.ts";
import { DeadLetters } from "./dead-letters/dead-letters.ts";
import { replayDeadLetters } from "./dead-letters/replay-dead-letters.ts";
import { Ingest, type IngestStores } from "./ingest.ts";
import { eventually } from "./testing/eventually.ts";
import { RecordingStore } from "./testing/recording-store.ts";
import { WriteAheadLog } from "./wal/write-ahead-log.ts";

/** A batch whose one row is the request's body: what is under test here is the way of requests, not their content. */
type NamedBatch = { readonly length: number; readonly name: string };

const decoder = {
  decode({ protocol, body }: WireRequest): Decoded {
    const name = Buffer.from(body).toString();
    if (name.startsWith("bad")) throw new InvalidInputError(`can't read ${name}`);
    const batch: NamedBatch = { length: name === "" ? 0 : 1, name };
    if (protocol.startsWith("otlp-traces")) {
      return { signal: "traces", batch: batch as unknown as SpanBatch, rejected: [] };
    }
    return { signal: "logs", batch: batch as unknown as LogBatch, rejected: [] };
  },
  *decodeInSteps(request: WireRequest): Generator<void, Decoded> {
    yield;
    return this.decode(request);
  },
};

function names(store: { readonly taken: readonly { readonly batch: unknown }[] }): string[] {
  return store.taken.map(({ batch }) => nameOf(batch));
}

function nameOf(batch: unknown): string {
  return (batch as NamedBatch).name;
}

let root: string;
let registry: Registry;
let running: { wal: WriteAheadLog; ingest: Ingest } | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "collector-ingest-"));
});
afterEach(async () => {
  await running?.ingest.stop();
  await running?.wal.stop();
  running = undefined;
  rmSync(root, { recursive: true, force: true });
});

async function startIngest(stores: IngestStores, settings: Record<string, unknown> = {}) {
  registry = new Registry();
  const config = collectorConfig.parse({
    // The batches here have no rows to look at.
    tenants: { logs: { find_trace_ids: false } },
    wal: { segment_bytes: 65_536, preallocate: false, truncate_interval_ms: 20 },
    stores: { max_retry_delay_ms: 20, max_concurrent_appends: 4 },
    ...settings,
  });
  const common = { logger: SILENT_LOGGER, registry };
  const wal = new WriteAheadLog({ ...common, dir: join(root, "wal"), config: config.wal });
  const deadLetters = new DeadLetters({ ...common, dir: join(root, "dead"), config: config.dead_letters });
  const ingest = new Ingest({ ...common, wal, decoder, stores, deadLetters, config });
  await wal.start();
  await ingest.start();
  running = { wal, ingest };
  return { wal, ingest };
}

/** The process ends without any farewell; only what the log's files hold is left. */
async function crash(): Promise<void> {
  const current = running;
  running = undefined;
  await current?.wal.stop();
}

function request(name: string, protocol: Protocol = "otlp-logs-protobuf"): WireRequest {
  return { tenant: DEFAULT_TENANT, protocol, encoding: "identity", receivedAtMs: 1, body: Buffer.from(name) };
}

async function counter(name: string): Promise<number> {
  const metric = await registry.getSingleMetric(name)?.get();
  return metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

async function letters() {
  const all = [];
  for await (const letter of listDeadLetters(join(root, "dead"))) all.push(letter);
  return all;
}

const numbered = (count: number, prefix = "r") => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const down = () => new UnavailableError("down", { retryAfterMs: 1 });
const busy = () => new UnavailableError("busy", { retryAfterMs: 1, isBusy: true });

describe("accepting", () => {
  test.each([1, 4])("%i at a time, requests reach the store in the order of their positions", async (concurrent) => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs }, { stores: { max_concurrent_appends: concurrent } });
    logs.onAppend = (_, position) => sleep(position % 3);
    const results = await Promise.all(numbered(100).map((name) => ingest.submit(request(name))));
    expect(logs.calls).toEqual(logs.calls.toSorted((a, b) => a - b));
    expect(names(logs).toSorted()).toEqual(numbered(100).toSorted());
    expect(results[0]).toMatchObject({ signal: "logs", accepted: 1, rejected: [] });
    expect(await counter("sightline_accepted_items_total")).toBe(100);
  });

  test("what can't be read is refused and leaves nothing behind", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await startIngest({ logs });
    await expect(ingest.submit(request("bad1"))).rejects.toThrow(InvalidInputError);
    expect(wal.bytes).toBe(0);
    expect(logs.calls).toEqual([]);
  });

  test("an empty request is answered and not kept", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await startIngest({ logs });
    expect(await ingest.submit(request(""))).toMatchObject({ accepted: 0, rejected: [] });
    expect(wal.bytes).toBe(0);
  });

  test("a signal that nobody keeps is refused", async () => {
    const { ingest } = await startIngest({ logs: new RecordingStore<LogBatch>() });
    await expect(ingest.submit(request("span", "otlp-traces-protobuf"))).rejects.toThrow("keeps no traces");
  });

  test("more bytes than may be in flight are pushed back with the setting's name", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs }, { limits: { max_request_bytes: 100, max_in_flight_bytes: 100 } });
    let release = () => {};
    logs.onAppend = () => new Promise<void>((resolve) => (release = resolve));
    const first = ingest.submit(request("x".repeat(60)));
    const second = ingest.submit(request("y".repeat(60)));
    await expect(second).rejects.toThrow(TooManyRequestsError);
    await expect(second).rejects.toThrow(/collector\.limits\.max_in_flight_bytes/);
    await eventually(() => expect(logs.calls).toHaveLength(1));
    release();
    await first;
    logs.onAppend = () => {};
    await ingest.submit(request("y".repeat(60)));
  });

  test("a store that is too far behind pushes back, and only its signal does", async () => {
    const logs = new RecordingStore<LogBatch>();
    const traces = new RecordingStore<SpanBatch>();
    const { ingest } = await startIngest({ logs, traces }, { stores: { max_deferred_bytes: 100 } });
    logs.onAppend = () => {
      throw down();
    };
    await ingest.submit(request("first"));
    await ingest.submit(request("x".repeat(120)));
    await expect(ingest.submit(request("more"))).rejects.toThrow(/collector\.stores\.max_deferred_bytes \(100\)/);
    await ingest.submit(request("span", "otlp-traces-protobuf"));
    logs.onAppend = () => {};
    await eventually(() => ingest.submit(request("again")));
  });

  test("rows that the store refuses are told and counted", async () => {
    const logs = new RecordingStore<LogBatch>();
    logs.append = async () => ({ accepted: 0, rejected: [{ reason: "too_old", count: 1, message: "older than 15d" }] });
    const { ingest } = await startIngest({ logs });
    const result = await ingest.submit(request("old"));
    expect(result).toMatchObject({ accepted: 0, rejected: [{ reason: "too_old", count: 1 }] });
    const discarded = await registry.getSingleMetric("sightline_discarded_items_total")?.get();
    expect(discarded?.values).toMatchObject([
      { value: 1, labels: { signal: "logs", tenant: "default", reason: "too_old" } },
    ]);
  });
});

describe("a store that is down", () => {
  test("clients are answered all the same, and it gets everything once, in order, when it is back", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs });
    await ingest.submit(request("before"));
    logs.onAppend = () => Promise.reject(down());
    const results = await Promise.all(numbered(50).map((name) => ingest.submit(request(name))));
    expect(results.every(({ accepted }) => accepted === 1)).toBe(true);
    expect(await counter("sightline_deferred_requests_total")).toBe(50);
    logs.onAppend = () => {};
    await ingest.submit(request("after"));
    await eventually(() => expect(names(logs)).toEqual(["before", ...numbered(50), "after"]));
    await ingest.submit(request("live"));
    // It may be a moment until nothing has to wait behind what waited.
    await eventually(() => expect(names(logs).at(-1)).toBe("live"));
  });

  test("it holds up no other store", async () => {
    const logs = new RecordingStore<LogBatch>();
    const traces = new RecordingStore<SpanBatch>();
    logs.onAppend = () => Promise.reject(down());
    const { ingest } = await startIngest({ logs, traces });
    await ingest.submit(request("log"));
    await ingest.submit(request("span", "otlp-traces-protobuf"));
    expect(names(traces)).toEqual(["span"]);
    expect(names(logs)).toEqual([]);
  });

  test("the log keeps what it lacks, and is cut once it has everything and made it durable", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await startIngest({ logs });
    logs.onAppend = () => Promise.reject(down());
    const big = "x".repeat(20_000);
    for (const name of numbered(10)) await ingest.submit(request(name + big));
    await eventually(() => expect(logs.calls.length).toBeGreaterThan(0));
    await sleep(60);
    expect(wal.replayFrom).toBeLessThanOrEqual(logs.calls[0] as number);
    logs.onAppend = () => {};
    await eventually(() => expect(logs.taken).toHaveLength(10));
    await logs.flush();
    await eventually(() => expect(wal.replayFrom).toBe((logs.taken.at(-1)?.position as number) + 1));
    const segments = () => readdirSync(join(root, "wal")).filter((file) => file.endsWith(".wal"));
    await eventually(() => expect(segments()).toHaveLength(1));
  });

  test("when the log is full, clients are pushed back; nothing is dropped", async () => {
    const logs = new RecordingStore<LogBatch>();
    const wal = { segment_bytes: 65_536, max_bytes: 131_072, preallocate: false, truncate_interval_ms: 20 };
    const { ingest } = await startIngest({ logs }, { wal });
    logs.onAppend = () => Promise.reject(down());
    const accepted: string[] = [];
    const fill = async () => {
      for (const name of numbered(50)) {
        await ingest.submit(request(name + "x".repeat(10_000)));
        accepted.push(name);
      }
    };
    await expect(fill()).rejects.toThrow(/collector\.wal\.max_bytes/);
    logs.onAppend = () => {};
    const short = () => names(logs).map((name) => name.replace(/x+$/, ""));
    await eventually(() => expect(short()).toEqual(accepted));
    // Nearly full, the log asks the store to flush by itself.
    await eventually(() => ingest.submit(request("again")));
  });

  test("one batch at a time, none overtakes another that has to be given again", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs }, { stores: { max_retry_delay_ms: 20 } });
    const refused = new Set<number>();
    logs.onAppend = (_, position) => {
      if (position % 7 !== 0 || refused.has(position)) return;
      refused.add(position);
      throw down();
    };
    for (let burst = 0; burst < 10; burst++) {
      await Promise.all(numbered(20, `${burst}-`).map((name) => ingest.submit(request(name))));
    }
    await eventually(() => expect(logs.taken).toHaveLength(200));
    expect(names(logs)).toEqual(Array.from({ length: 10 }, (_, burst) => numbered(20, `${burst}-`)).flat());
    expect(await letters()).toEqual([]);
  });

  test("of several at a time, a batch that was overtaken is put aside instead of being given too late", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs });
    const overtaken = Promise.withResolvers<void>();
    logs.onAppend = (batch) => {
      if (nameOf(batch) === "slow") return overtaken.promise.then(() => sleep(5)).then(() => Promise.reject(down()));
      overtaken.resolve();
    };
    await Promise.all(["slow", "fast"].map((name) => ingest.submit(request(name))));
    logs.onAppend = () => {};
    await eventually(async () => expect(await letters()).toMatchObject([{ reason: "overtaken" }]));
    await eventually(async () => {
      await ingest.submit(request("next"));
      expect(names(logs)).toContain("next");
    });
    expect(names(logs).filter((name) => name === "fast")).toHaveLength(1);
    expect(names(logs)).not.toContain("slow");
  });
});

describe("dead letters", () => {
  test("what the store refuses for good is put aside, told as refused, and can be replayed", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs });
    logs.onAppend = (batch) => {
      if (nameOf(batch) === "poison") throw new TypeError("a bug of the store");
    };
    await ingest.submit(request("good"));
    const result = await ingest.submit(request("poison"));
    expect(result).toMatchObject({ accepted: 0, rejected: [{ count: 1, message: expect.stringContaining("a bug") }] });
    expect(await letters()).toMatchObject([
      { reason: "refused", message: "a bug of the store", tenant: "default", protocol: "otlp-logs-protobuf" },
    ]);
    const dir = join(root, "dead");
    const submit = async (again: WireRequest) => {
      const { rejected } = await ingest.submit(again);
      if (rejected.length > 0) throw new Error(rejected[0]?.message);
      return "";
    };
    for await (const { error } of replayDeadLetters(dir, submit)) expect(error).toBeInstanceOf(Error);
    logs.onAppend = () => {};
    for (const { id } of await letters()) {
      for await (const outcome of replayDeadLetters(dir, submit, [id])) expect(outcome.error).toBeUndefined();
    }
    expect(await letters()).toEqual([]);
    expect(names(logs)).toEqual(["good", "poison", "poison"]);
  });

  test("without room for dead letters the request stays in the log and is tried again", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs }, { dead_letters: { max_bytes: 10 } });
    logs.onAppend = () => {
      throw new TypeError("a bug of the store");
    };
    expect(await ingest.submit(request("poison"))).toMatchObject({ accepted: 1 });
    await ingest.submit(request("next"));
    logs.onAppend = () => {};
    await eventually(() => expect(names(logs)).toEqual(["poison", "next"]));
    expect(await letters()).toEqual([]);
  });
});

describe("restarting", () => {
  test("after a crash the store gets what it lost, once", async () => {
    const logs = new RecordingStore<LogBatch>();
    const traces = new RecordingStore<SpanBatch>();
    const { ingest } = await startIngest({ logs, traces });
    for (const name of numbered(30)) await ingest.submit(request(name));
    await logs.flush();
    for (const name of numbered(30, "late")) await ingest.submit(request(name));
    for (const name of numbered(30, "span")) await ingest.submit(request(name, "otlp-traces-json"));
    await crash();
    logs.crash();
    traces.crash();
    expect(names(logs)).toEqual(numbered(30));
    const again = await startIngest({ logs, traces });
    expect(names(logs)).toEqual([...numbered(30), ...numbered(30, "late")]);
    expect(names(traces)).toEqual(numbered(30, "span"));
    await again.ingest.submit(request("new"));
    expect(names(logs).at(-1)).toBe("new");
  });

  test("a record that can't be decoded any more is put aside, and the rest is replayed", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await startIngest({ logs });
    await ingest.submit(request("a"));
    await wal.append(request("bad since the update"));
    await ingest.submit(request("b"));
    await crash();
    logs.crash();
    await startIngest({ logs });
    expect(names(logs)).toEqual(["a", "b"]);
    expect(await letters()).toMatchObject([{ reason: "undecodable" }]);
  });

  test("large requests in JSON are replayed in order, as protobuf, and what is none is put aside", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { wal } = await startIngest({ logs });
    const values = Array.from({ length: 20_000 }, (_, i) => [String(i), `line ${i} of a large push`]);
    const body = Buffer.from(JSON.stringify({ streams: [{ stream: { app: "shop" }, values }] }));
    const push = { ...request("", "loki-push-json"), body };
    await wal.append(request("before"));
    await wal.append(push);
    await wal.append({ ...push, encoding: "gzip", body: gzipSync(body, { level: 0 }) });
    await wal.append({ ...push, body: Buffer.concat([body, Buffer.from("}")]) });
    await wal.append(request("after"));
    await crash();
    await startIngest({ logs });
    const protobuf = Buffer.from(lokiPushJsonToProtobuf(body)).toString();
    expect(names(logs).map((name) => (name === protobuf ? "protobuf" : name))).toEqual([
      "before",
      "protobuf",
      "protobuf",
      "after",
    ]);
    expect(await letters()).toMatchObject([{ reason: "undecodable" }]);
  });

  test("starting does not wait for a store that is down", async () => {
    const logs = new RecordingStore<LogBatch>();
    const first = await startIngest({ logs });
    for (const name of numbered(10)) await first.ingest.submit(request(name));
    await crash();
    logs.crash();
    logs.onAppend = () => Promise.reject(down());
    const { ingest } = await startIngest({ logs });
    await ingest.submit(request("new"));
    expect(names(logs)).toEqual([]);
    logs.onAppend = () => {};
    await eventually(() => expect(names(logs)).toEqual([...numbered(10), "new"]));
  });

  test("starting waits for a store that is only busy: what was acknowledged is there then", async () => {
    const logs = new RecordingStore<LogBatch>();
    const first = await startIngest({ logs });
    for (const name of numbered(30)) await first.ingest.submit(request(name));
    await crash();
    logs.crash();
    logs.calls.splice(0);
    logs.onAppend = (batch, position) => {
      const isFirstTry = logs.calls.indexOf(position) === logs.calls.length - 1;
      if (isFirstTry && Number(nameOf(batch).slice(1)) % 7 === 3) return Promise.reject(busy());
      return undefined;
    };
    await startIngest({ logs });
    expect(names(logs)).toEqual(numbered(30));
    expect(await counter("sightline_store_retries_total")).toBe(4);
    expect(await counter("sightline_store_behind")).toBe(0);
  });

  test("as long as a store lacks what was acknowledged, that is told", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await startIngest({ logs });
    logs.onAppend = () => Promise.reject(busy());
    await ingest.submit(request("late"));
    expect(await counter("sightline_store_behind")).toBe(1);
    logs.onAppend = () => {};
    await eventually(async () => expect(await counter("sightline_store_behind")).toBe(0));
    expect(names(logs)).toEqual(["late"]);
  });

  test("stopping answers what is in, refuses what is new and leaves nothing to replay", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await startIngest({ logs });
    logs.onAppend = () => sleep(5);
    const answers = numbered(20).map((name) => ingest.submit(request(name)));
    await sleep(1);
    const stopping = ingest.stop();
    await expect(ingest.submit(request("late"))).rejects.toThrow(UnavailableError);
    expect((await Promise.all(answers)).every(({ accepted }) => accepted === 1)).toBe(true);
    await stopping;
    await ingest.stop();
    expect(wal.replayFrom).toBe(wal.lastPosition + 1);
    logs.calls.splice(0);
    await crash();
    await startIngest({ logs });
    expect(logs.calls).toEqual([]);
  });
});

import { setTimeout as sleep } from "node:timers/promises";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "./testing/eventually.ts";
import { down, IngestBed, namedRequest, nameOf, namesOf, numbered } from "./testing/ingest-bed.ts";
import { RecordingStore } from "./testing/recording-store.ts";

let bed: IngestBed;
beforeEach(() => {
  bed = new IngestBed();
});
afterEach(() => bed.dispose());

describe("a store that is down", () => {
  test("clients are answered all the same, and it gets everything once, in order, when it is back", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs });
    await ingest.submit(namedRequest("before"));
    logs.onAppend = () => Promise.reject(down());
    const results = await Promise.all(numbered(50).map((name) => ingest.submit(namedRequest(name))));
    expect(results.every(({ accepted }) => accepted === 1)).toBe(true);
    expect(await bed.counter("sightline_deferred_requests_total")).toBe(50);
    logs.onAppend = () => {};
    await ingest.submit(namedRequest("after"));
    await eventually(() => expect(namesOf(logs)).toEqual(["before", ...numbered(50), "after"]));
    await ingest.submit(namedRequest("live"));
    // It may be a moment until nothing has to wait behind what waited.
    await eventually(() => expect(namesOf(logs).at(-1)).toBe("live"));
  });

  test("it holds up no other store", async () => {
    const logs = new RecordingStore<LogBatch>();
    const traces = new RecordingStore<SpanBatch>();
    logs.onAppend = () => Promise.reject(down());
    const { ingest } = await bed.start({ logs, traces });
    await ingest.submit(namedRequest("log"));
    await ingest.submit(namedRequest("span", "otlp-traces-protobuf"));
    expect(namesOf(traces)).toEqual(["span"]);
    expect(namesOf(logs)).toEqual([]);
  });

  test("the log keeps what it lacks, and is cut once it has everything and made it durable", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await bed.start({ logs });
    logs.onAppend = () => Promise.reject(down());
    const big = "x".repeat(20_000);
    for (const name of numbered(10)) await ingest.submit(namedRequest(name + big));
    await eventually(() => expect(logs.calls.length).toBeGreaterThan(0));
    await sleep(60);
    expect(wal.replayFrom).toBeLessThanOrEqual(logs.calls[0] as number);
    logs.onAppend = () => {};
    await eventually(() => expect(logs.taken).toHaveLength(10));
    await logs.flush();
    await eventually(() => expect(wal.replayFrom).toBe((logs.taken.at(-1)?.position as number) + 1));
    await eventually(() => expect(bed.walSegments).toHaveLength(1));
  });

  test("when the log is full, clients are pushed back; nothing is dropped", async () => {
    const logs = new RecordingStore<LogBatch>();
    const wal = { segment_bytes: 65_536, max_bytes: 131_072, preallocate: false, truncate_interval_ms: 20 };
    const { ingest } = await bed.start({ logs }, { wal });
    logs.onAppend = () => Promise.reject(down());
    const accepted: string[] = [];
    const fill = async () => {
      for (const name of numbered(50)) {
        await ingest.submit(namedRequest(name + "x".repeat(10_000)));
        accepted.push(name);
      }
    };
    await expect(fill()).rejects.toThrow(/collector\.wal\.max_bytes/);
    logs.onAppend = () => {};
    const short = () => namesOf(logs).map((name) => name.replace(/x+$/, ""));
    await eventually(() => expect(short()).toEqual(accepted));
    // Nearly full, the log asks the store to flush by itself.
    await eventually(() => ingest.submit(namedRequest("again")));
  });

  test("one batch at a time, none overtakes another that has to be given again", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs }, { stores: { max_retry_delay_ms: 20 } });
    const refused = new Set<number>();
    logs.onAppend = (_, position) => {
      if (position % 7 !== 0 || refused.has(position)) return;
      refused.add(position);
      throw down();
    };
    for (let burst = 0; burst < 10; burst++) {
      await Promise.all(numbered(20, `${burst}-`).map((name) => ingest.submit(namedRequest(name))));
    }
    await eventually(() => expect(logs.taken).toHaveLength(200));
    expect(namesOf(logs)).toEqual(Array.from({ length: 10 }, (_, burst) => numbered(20, `${burst}-`)).flat());
    expect(await bed.letters()).toEqual([]);
  });

  test("of several at a time, a batch that was overtaken is put aside instead of being given too late", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs });
    const overtaken = Promise.withResolvers<void>();
    logs.onAppend = (batch) => {
      if (nameOf(batch) === "slow") return overtaken.promise.then(() => sleep(5)).then(() => Promise.reject(down()));
      overtaken.resolve();
    };
    await Promise.all(["slow", "fast"].map((name) => ingest.submit(namedRequest(name))));
    logs.onAppend = () => {};
    await eventually(async () => expect(await bed.letters()).toMatchObject([{ reason: "overtaken" }]));
    await eventually(async () => {
      await ingest.submit(namedRequest("next"));
      expect(namesOf(logs)).toContain("next");
    });
    expect(namesOf(logs).filter((name) => name === "fast")).toHaveLength(1);
    expect(namesOf(logs)).not.toContain("slow");
  });
});

import { setTimeout as sleep } from "node:timers/promises";
import { InvalidInputError, TooManyRequestsError } from "@sightline/model/errors.ts";
import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { SpanBatch } from "@sightline/model/span-batch.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { replayDeadLetters } from "./dead-letters/replay-dead-letters.ts";
import { eventually } from "./testing/eventually.ts";
import { down, IngestBed, namedRequest, nameOf, namesOf, numbered } from "./testing/ingest-bed.ts";
import { RecordingStore } from "./testing/recording-store.ts";

let bed: IngestBed;
beforeEach(() => {
  bed = new IngestBed();
});
afterEach(() => bed.dispose());

describe("accepting", () => {
  test.each([1, 4])("%i at a time, requests reach the store in the order of their positions", async (concurrent) => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs }, { stores: { max_concurrent_appends: concurrent } });
    logs.onAppend = (_, position) => sleep(position % 3);
    const results = await Promise.all(numbered(100).map((name) => ingest.submit(namedRequest(name))));
    expect(logs.calls).toEqual(logs.calls.toSorted((a, b) => a - b));
    expect(namesOf(logs).toSorted()).toEqual(numbered(100).toSorted());
    expect(results[0]).toMatchObject({ signal: "logs", accepted: 1, rejected: [] });
    expect(await bed.counter("sightline_accepted_items_total")).toBe(100);
  });

  test("what can't be read is refused and leaves nothing behind", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await bed.start({ logs });
    await expect(ingest.submit(namedRequest("bad1"))).rejects.toThrow(InvalidInputError);
    expect(wal.bytes).toBe(0);
    expect(logs.calls).toEqual([]);
  });

  test("an empty request is answered and not kept", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest, wal } = await bed.start({ logs });
    expect(await ingest.submit(namedRequest(""))).toMatchObject({ accepted: 0, rejected: [] });
    expect(wal.bytes).toBe(0);
  });

  test("a signal that nobody keeps is refused", async () => {
    const { ingest } = await bed.start({ logs: new RecordingStore<LogBatch>() });
    await expect(ingest.submit(namedRequest("span", "otlp-traces-protobuf"))).rejects.toThrow("keeps no traces");
  });

  test("more bytes than may be in flight are pushed back with the setting's name", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs }, { limits: { max_request_bytes: 100, max_in_flight_bytes: 100 } });
    let release = () => {};
    logs.onAppend = () => new Promise<void>((resolve) => (release = resolve));
    const first = ingest.submit(namedRequest("x".repeat(60)));
    const second = ingest.submit(namedRequest("y".repeat(60)));
    await expect(second).rejects.toThrow(TooManyRequestsError);
    await expect(second).rejects.toThrow(/collector\.limits\.max_in_flight_bytes/);
    await eventually(() => expect(logs.calls).toHaveLength(1));
    release();
    await first;
    logs.onAppend = () => {};
    await ingest.submit(namedRequest("y".repeat(60)));
  });

  test("a store that is too far behind pushes back, and only its signal does", async () => {
    const logs = new RecordingStore<LogBatch>();
    const traces = new RecordingStore<SpanBatch>();
    const { ingest } = await bed.start({ logs, traces }, { stores: { max_deferred_bytes: 100 } });
    logs.onAppend = () => {
      throw down();
    };
    await ingest.submit(namedRequest("first"));
    await ingest.submit(namedRequest("x".repeat(120)));
    await expect(ingest.submit(namedRequest("more"))).rejects.toThrow(/collector\.stores\.max_deferred_bytes \(100\)/);
    await ingest.submit(namedRequest("span", "otlp-traces-protobuf"));
    logs.onAppend = () => {};
    await eventually(() => ingest.submit(namedRequest("again")));
  });

  test("rows that the store refuses are told and counted", async () => {
    const logs = new RecordingStore<LogBatch>();
    logs.append = async () => ({ accepted: 0, rejected: [{ reason: "too_old", count: 1, message: "older than 15d" }] });
    const { ingest } = await bed.start({ logs });
    const result = await ingest.submit(namedRequest("old"));
    expect(result).toMatchObject({ accepted: 0, rejected: [{ reason: "too_old", count: 1 }] });
    expect(await bed.metricValues("sightline_discarded_items_total")).toMatchObject([
      { value: 1, labels: { signal: "logs", tenant: "default", reason: "too_old" } },
    ]);
  });
});

describe("dead letters", () => {
  test("what the store refuses for good is put aside, told as refused, and can be replayed", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs });
    logs.onAppend = (batch) => {
      if (nameOf(batch) === "poison") throw new TypeError("a bug of the store");
    };
    await ingest.submit(namedRequest("good"));
    const result = await ingest.submit(namedRequest("poison"));
    expect(result).toMatchObject({ accepted: 0, rejected: [{ count: 1, message: expect.stringContaining("a bug") }] });
    expect(await bed.letters()).toMatchObject([
      { reason: "refused", message: "a bug of the store", tenant: "default", protocol: "otlp-logs-protobuf" },
    ]);
    const submit = async (again: WireRequest) => {
      const { rejected } = await ingest.submit(again);
      if (rejected.length > 0) throw new Error(rejected[0]?.message);
      return "";
    };
    for await (const { error } of replayDeadLetters(bed.deadLetterDir, submit)) expect(error).toBeInstanceOf(Error);
    logs.onAppend = () => {};
    for (const { id } of await bed.letters()) {
      for await (const outcome of replayDeadLetters(bed.deadLetterDir, submit, [id]))
        expect(outcome.error).toBeUndefined();
    }
    expect(await bed.letters()).toEqual([]);
    expect(namesOf(logs)).toEqual(["good", "poison", "poison"]);
  });

  test("without room for dead letters the request stays in the log and is tried again", async () => {
    const logs = new RecordingStore<LogBatch>();
    const { ingest } = await bed.start({ logs }, { dead_letters: { max_bytes: 10 } });
    logs.onAppend = () => {
      throw new TypeError("a bug of the store");
    };
    expect(await ingest.submit(namedRequest("poison"))).toMatchObject({ accepted: 1 });
    await ingest.submit(namedRequest("next"));
    logs.onAppend = () => {};
    await eventually(() => expect(namesOf(logs)).toEqual(["poison", "next"]));
    expect(await bed.letters()).toEqual([]);
  });
});

import type { Attributes } from "@sightline/model/attributes.ts";
import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import { DEFAULT_TENANT, tenantId } from "@sightline/model/tenant.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LogRow, logBatchOf, logRowsOf } from "./log-batch-of.ts";
import { describeLogDeletion } from "./log-store-deletion.ts";
import { describeLogFields } from "./log-store-fields.ts";
import {
  append,
  bodies,
  HOUR,
  type LogStoreFixture,
  NOW,
  nextPosition,
  on,
  PLACES,
  SECOND,
  select,
  T,
  type Write,
  writer,
} from "./log-store-fixture.ts";
import { describeLogQueries } from "./log-store-queries.ts";
import { describeRandomLogHistories } from "./log-store-random.ts";

const OTHER_TENANT = tenantId("other");

/** What every {@link LogStore} must do. The store must refuse records in the years 1970 and 2100. */
export function describeLogStore(name: string, make: () => Promise<LogStoreFixture>): void {
  describe(`${name} as a log store`, () => {
    let fixture: LogStoreFixture;
    let store: LogStore;
    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
    });
    afterEach(() => fixture.dispose());
    const given = () => ({ store, fixture });

    describe.each(PLACES)("%s", (where) => {
      const write = writer(where);
      describeRecords(given, write);
      describeOrder(given, write);
    });
    describeRefusals(given);
    describeRestart(given);
    describeLogDeletion(given);
    describeRandomLogHistories(make);
  });
  describeLogQueries(name, make);
  describeLogFields(name, make);
}

type Given = () => { readonly store: LogStore; readonly fixture: LogStoreFixture };

const ALL_TYPES: Attributes = [
  { name: "bool", type: "bool", value: "true" },
  { name: "bytes", type: "bytes", value: "AAEC/w==" },
  { name: "double", type: "double", value: "1.5e-300" },
  { name: "empty", type: "string", value: "" },
  { name: "int", type: "int", value: "-9223372036854775808" },
  { name: "json", type: "json", value: '{"a":[1,"\\u0000",null]}' },
  { name: "string", type: "string", value: "zoë 😀 \u0000 ' \" \\ \n" },
];

function describeRecords(given: Given, write: Write): void {
  test("gives back whole records, every field and the type of every attribute", async () => {
    const { store } = given();
    const full: Required<LogRow> = {
      timeNs: T + 123_456_789n,
      body: 'zoë 😀 "quoted" \\ \u0000 \r\n\t end',
      labels: { service_name: "a", ünï: "co\nde" },
      resource: [...ALL_TYPES, { name: "service.name", type: "string", value: "a" }],
      scope: { name: "lib", version: "1.2", attributes: ALL_TYPES, schemaUrl: "https://example.com/1" },
      observedNs: T + 5n,
      severity: 24,
      severityText: "FATAL4",
      traceId: "0123456789abcdef0000000000000001",
      spanId: "00000000000000ff",
      attributes: ALL_TYPES,
    };
    const bare = [{ timeNs: T }, { timeNs: T + 1n, observedNs: T + 1n }];
    await write(store, [full, ...bare]);
    expect(await select(store, { newestFirst: false })).toEqual([...logRowsOf(logBatchOf(bare)), full]);
  });

  test("keeps one attribute name with two types apart, and names no database would like", async () => {
    const { store } = given();
    const attributes: Attributes = [
      { name: "", type: "string", value: "no name" },
      { name: "a", type: "int", value: "1" },
      { name: "body", type: "string", value: "not the body" },
      { name: 'x"; DROP TABLE logs; --', type: "string", value: "'; DROP TABLE logs; --" },
    ];
    const other: Attributes = [{ name: "a", type: "string", value: "1" }];
    await write(store, [
      { timeNs: T, attributes },
      { timeNs: T + 1n, attributes: other },
    ]);
    expect((await select(store, { newestFirst: false })).map((row) => row.attributes)).toEqual([attributes, other]);
  });

  test("keeps hundreds of different attributes", async () => {
    const { store } = given();
    const rows = Array.from({ length: 40 }, (_, row) => ({
      timeNs: T + BigInt(row),
      attributes: Array.from(
        { length: 10 },
        (_, i) => ({ name: `k${row * 10 + i}`, type: "int", value: `${i}` }) as const,
      ),
    }));
    await write(store, rows);
    const sorted = rows.map(({ attributes }) => attributes.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
    expect((await select(store, { newestFirst: false })).map((row) => row.attributes)).toEqual(sorted);
  });

  test("keeps equal records as often as they were written", async () => {
    const { store } = given();
    await write(
      store,
      Array.from({ length: 4 }, () => ({ timeNs: T, body: "again" })),
    );
    expect(await bodies(store)).toEqual(["again", "again", "again", "again"]);
  });

  test("keeps tenants apart", async () => {
    const { store } = given();
    await write(store, [{ timeNs: T, body: "mine" }]);
    await write(store, [{ timeNs: T, body: "theirs" }], OTHER_TENANT);
    expect(await bodies(store)).toEqual(["mine"]);
    expect(await bodies(store, { tenant: OTHER_TENANT })).toEqual(["theirs"]);
    expect(await bodies(store, { tenant: tenantId("nobody") })).toEqual([]);
  });
}

function describeOrder(given: Given, write: Write): void {
  const times = [5n, 3n, 9n, 3n, 0n, 7n, 3n, 9n];

  test("yields rows in the order asked for, also when they came in another and with equal times", async () => {
    const { store } = given();
    await write(
      store,
      times.map((time) => ({ timeNs: T + time })),
    );
    const ascending = [0n, 3n, 3n, 3n, 5n, 7n, 9n, 9n].map((time) => T + time);
    const selected = async (newestFirst: boolean) => (await select(store, { newestFirst })).map(({ timeNs }) => timeNs);
    expect(await selected(false)).toEqual(ascending);
    expect(await selected(true)).toEqual(ascending.toReversed());
  });

  test("stops at the limit, with the first rows of that order", async () => {
    const { store } = given();
    await write(
      store,
      times.map((time) => ({ timeNs: T + time, body: `${time}` })),
    );
    expect((await select(store, { limit: 3 })).map(({ body }) => body)).toEqual(["9", "9", "7"]);
    expect((await select(store, { limit: 2, newestFirst: false })).map(({ body }) => body)).toEqual(["0", "3"]);
    const line: LineFilter[] = [{ op: "!=", text: "9" }];
    expect((await select(store, { limit: 1, line })).map(({ body }) => body)).toEqual(["7"]);
  });

  test("includes the start of the range and excludes its end", async () => {
    const { store } = given();
    await write(
      store,
      [0n, 1n, 2n, 3n].map((time) => ({ timeNs: T + time, body: `${time}` })),
    );
    expect(await bodies(store, { range: { startNs: T + 1n, endNs: T + 3n } })).toEqual(["1", "2"]);
    expect(await bodies(store, { range: { startNs: T + 4n, endNs: NOW } })).toEqual([]);
    expect(await bodies(store, { range: { startNs: -(2n ** 70n), endNs: 2n ** 70n } })).toHaveLength(4);
  });

  test("merges records of several days that came late", async () => {
    const { store } = given();
    const hours = [0, 50, 3, 26, 74, 1];
    await write(
      store,
      hours.map((hour) => ({ timeNs: T - BigInt(hour) * HOUR, body: `${hour}` })),
    );
    expect((await select(store)).map(({ body }) => Number(body))).toEqual(hours.toSorted((a, b) => a - b));
  });

  test("yields thousands of rows, each once", async () => {
    const { store } = given();
    const rows = Array.from({ length: 5_000 }, (_, i) => ({ timeNs: T + BigInt((i * 7_919) % 5_000), body: `${i}` }));
    await write(store, rows);
    const selected = await select(store);
    expect(new Set(selected.map(({ body }) => body)).size).toBe(5_000);
    expect(selected.map(({ timeNs }) => Number(T - timeNs) + 4_999)).toEqual(
      Array.from({ length: 5_000 }, (_, i) => i),
    );
  });
}

function describeRefusals(given: Given): void {
  test("refuses records of 1970 and 2100 by name and keeps the others of the batch", async () => {
    const { store } = given();
    const rows = [{ timeNs: 1n }, { timeNs: T, body: "good" }, { timeNs: 4_102_444_800n * SECOND }, { timeNs: 2n }];
    const result = await store.append(DEFAULT_TENANT, logBatchOf(rows), nextPosition());
    expect(result.accepted).toBe(1);
    expect(result.rejected.map(({ reason, count }) => [reason, count]).sort()).toEqual([
      ["too_new", 1],
      ["too_old", 2],
    ]);
    expect(result.rejected.every(({ message }) => message.includes("storage."))).toBe(true);
    expect(await bodies(store)).toEqual(["good"]);
  });

  test("takes an empty batch", async () => {
    expect(await given().store.append(DEFAULT_TENANT, logBatchOf([]), nextPosition())).toEqual({
      accepted: 0,
      rejected: [],
    });
  });

  test("stops a query whose signal has been aborted", async () => {
    const { store } = given();
    await append(store, [{ timeNs: T }]);
    await store.flush();
    const controller = new AbortController();
    controller.abort(new Error("the client went away"));
    const request = { tenant: DEFAULT_TENANT, range: { startNs: T, endNs: NOW }, matchers: [] };
    const { batches } = store.select({ ...request, line: [], newestFirst: true, limit: 10 }, controller.signal);
    await expect(batches[Symbol.asyncIterator]().next()).rejects.toThrow("the client went away");
    await expect(store.streams(request, controller.signal)).rejects.toThrow("the client went away");
  });

  test("lets a caller leave a selection early, or never begin with it", async () => {
    const { store } = given();
    await append(
      store,
      Array.from({ length: 3_000 }, (_, i) => ({ timeNs: T + BigInt(i) })),
    );
    await store.flush();
    const request = { tenant: DEFAULT_TENANT, range: { startNs: T, endNs: NOW }, matchers: [], line: [] };
    store.select({ ...request, newestFirst: true, limit: 10_000 }, on);
    for await (const _ of store.select({ ...request, newestFirst: true, limit: 10_000 }, on).batches) break;
    expect(await select(store)).toHaveLength(3_000);
  });
}

function describeRestart(given: Given): void {
  const log = [0, 1, 2, 3].map((i) => [{ timeNs: T + BigInt(i), body: `${i}` }]);

  test("has everything once after a crash and the replay of the whole log", async () => {
    const { store, fixture } = given();
    for (const [i, rows] of log.slice(0, 2).entries()) await store.append(DEFAULT_TENANT, logBatchOf(rows), 100 + i);
    await store.flush();
    for (const [i, rows] of log.slice(2).entries()) await store.append(DEFAULT_TENANT, logBatchOf(rows), 102 + i);
    const reopened = await fixture.reopen();
    expect(await bodies(reopened)).toEqual(["0", "1"]);
    for (const [i, rows] of log.entries()) {
      expect(await reopened.append(DEFAULT_TENANT, logBatchOf(rows), 100 + i)).toEqual({ accepted: 1, rejected: [] });
    }
    expect(await bodies(reopened)).toEqual(["0", "1", "2", "3"]);
    await reopened.flush();
    expect(await bodies(reopened)).toEqual(["0", "1", "2", "3"]);
  });

  test("says from where on the log must be kept", async () => {
    const { store } = given();
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T }]), 5_000);
    await store.append(OTHER_TENANT, logBatchOf([{ timeNs: T }]), 5_001);
    expect(store.firstUnflushedPosition()).toBe(5_000);
    await store.flush();
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await store.append(OTHER_TENANT, logBatchOf([{ timeNs: T }]), 5_002);
    expect(store.firstUnflushedPosition()).toBe(5_002);
  });

  test("sees every record exactly once while it is written, flushed and asked at the same time", async () => {
    const { store } = given();
    const flushes: Promise<void>[] = [];
    for (let i = 0; i < 60; i++) {
      await store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T + BigInt(i), body: `${i}` }]), 9_000 + i);
      if (i % 7 === 0) flushes.push(store.flush());
      expect((await select(store, { newestFirst: false })).map(({ body }) => Number(body))).toEqual(
        Array.from({ length: i + 1 }, (_, n) => n),
      );
    }
    await Promise.all(flushes);
  });

  test("has flushed everything when it has stopped", async () => {
    const { store, fixture } = given();
    await store.append(DEFAULT_TENANT, logBatchOf([{ timeNs: T, body: "last words" }]), 7_000);
    await store.stop();
    await store.stop();
    expect(await bodies(await fixture.reopen())).toEqual(["last words"]);
  });
}

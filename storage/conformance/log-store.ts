import type { Attributes } from "@sightline/model/attributes.ts";
import type { LineFilter, LogRequest, LogStore } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LogRow, logBatchOf, logRowsOf } from "./log-batch-of.ts";
import { describeRandomLogHistories } from "./log-store-random.ts";

/** A store under test on data of its own. */
export type LogStoreFixture = {
  readonly store: LogStore;
  /** Abandons the newest store as `kill -9` would, without flushing, and opens what it kept. */
  reopen(): Promise<LogStore>;
  dispose(): Promise<void>;
};

const SECOND = 1_000_000_000n;
const HOUR = 3_600n * SECOND;
const NOW = BigInt(Date.now()) * 1_000_000n;
const T = NOW - HOUR;
const OTHER_TENANT = tenantId("other");
const on = new AbortController().signal;

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

    // Rows are looked for in memory, on disk, and in both at once: the answers must not differ.
    describe.each(["in memory", "flushed", "half flushed"] as const)("%s", (where) => {
      const write = writer(where);
      describeRecords(given, write);
      describeOrder(given, write);
    });
    describeRefusals(given);
    describeRestart(given);
    describeRandomLogHistories(make);
  });
  describe.each(["in memory", "flushed", "half flushed"] as const)(`queries of ${name}, %s`, (where) => {
    describeFilters(make, writer(where));
    describeStreams(make, writer(where));
  });
}

type Where = "in memory" | "flushed" | "half flushed";

function writer(where: Where): Write {
  return async (store, rows, tenant = DEFAULT_TENANT) => {
    const half = where === "half flushed" ? Math.ceil(rows.length / 2) : rows.length;
    await append(store, rows.slice(0, half), tenant);
    if (where !== "in memory") await store.flush();
    if (half < rows.length) await append(store, rows.slice(half), tenant);
  };
}

/** One store with these rows for all tests of a group. */
function describeWith(
  title: string,
  make: () => Promise<LogStoreFixture>,
  write: (store: LogStore) => Promise<void>,
  tests: (store: () => LogStore) => void,
): void {
  describe(title, () => {
    let fixture: LogStoreFixture;
    beforeAll(async () => {
      fixture = await make();
      await write(fixture.store);
    });
    afterAll(() => fixture.dispose());
    tests(() => fixture.store);
  });
}

type Given = () => { readonly store: LogStore; readonly fixture: LogStoreFixture };
type Write = (store: LogStore, rows: readonly LogRow[], tenant?: TenantId) => Promise<void>;

let position = 0;
async function append(store: LogStore, rows: readonly LogRow[], tenant = DEFAULT_TENANT): Promise<void> {
  const result = await store.append(tenant, logBatchOf(rows), ++position);
  expect(result).toEqual({ accepted: rows.length, rejected: [] });
}

async function select(store: LogStore, request: Partial<LogRequest> = {}): Promise<Required<LogRow>[]> {
  const all = {
    tenant: DEFAULT_TENANT,
    range: { startNs: NOW - 100n * HOUR, endNs: NOW + HOUR },
    matchers: [],
    line: [],
  };
  const { batches } = store.select({ ...all, newestFirst: true, limit: 10_000, ...request }, on);
  const rows: Required<LogRow>[] = [];
  for await (const batch of batches) rows.push(...logRowsOf(batch));
  return rows;
}

const bodies = async (store: LogStore, request: Partial<LogRequest> = {}) =>
  (await select(store, request)).map(({ body }) => body).sort();

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
    const [bare] = logRowsOf(logBatchOf([{ timeNs: T }])) as [Required<LogRow>];
    await write(store, [full, bare]);
    expect(await select(store, { newestFirst: false })).toEqual([bare, full]);
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

const HOSTILE = [
  "plain text",
  "100% sure",
  "under_score",
  "it's",
  'say "hi"',
  "back\\slash",
  "new\nline",
  "nul\u0000byte",
  "emoji 😀🏳️‍🌈",
  "combining e\u0301",
  "'; DROP TABLE logs; --",
  "$1 $2 ?",
  "[a-z]+(b|c)*.{2}",
  "tab\tand\r",
];

function describeFilters(make: () => Promise<LogStoreFixture>, write: Write): void {
  const rows = HOSTILE.map((body, i) => ({ timeNs: T + BigInt(i), body }));
  describeWith("line filters", make, (store) => write(store, rows), lineFilterTests);
}

function lineFilterTests(given: () => LogStore): void {
  test.each(HOSTILE.map((text) => [text]))("finds exactly the lines that contain %j, and the others", async (text) => {
    const store = given();
    const piece = text.slice(1);
    expect(await bodies(store, { line: [{ op: "|=", text: piece }] })).toEqual([text]);
    expect(await bodies(store, { line: [{ op: "!=", text: piece }] })).toEqual(
      HOSTILE.filter((body) => body !== text).sort(),
    );
  });

  test.each<[readonly LineFilter[], readonly string[]]>([
    [[{ op: "|=", text: "" }], HOSTILE],
    [[{ op: "!=", text: "" }], []],
    [[{ op: "|=", text: "%" }], ["100% sure"]],
    [[{ op: "|=", text: "_" }], ["under_score"]],
    [[{ op: "|=", text: "PLAIN" }], []],
    [[{ op: "|~", text: "(?i)PLAIN" }], ["plain text"]],
    [[{ op: "|~", text: "^new" }], ["new\nline"]],
    [[{ op: "|~", text: "^line" }], []],
    [[{ op: "|~", text: "(?m)^line$" }], ["new\nline"]],
    [[{ op: "|~", text: "new.line" }], []],
    [[{ op: "|~", text: "(?s)new.line" }], ["new\nline"]],
    [[{ op: "|~", text: "\\d+%" }], ["100% sure"]],
    [[{ op: "|~", text: "😀|it's" }], ["emoji 😀🏳️‍🌈", "it's"]],
    [[{ op: "|~", text: "\\p{So}" }], ["emoji 😀🏳️‍🌈"]],
    [[{ op: "|~", text: "nul\\x00byte" }], ["nul\u0000byte"]],
    [[{ op: "|~", text: "back\\\\slash" }], ["back\\slash"]],
    [[{ op: "|~", text: "^.{4}$" }], ["it's"]],
    [[{ op: "!~", text: "[a-z]" }], HOSTILE.filter((body) => !/[a-z]/.test(body))],
    [[{ op: "!~", text: "a|e|i|u" }], HOSTILE.filter((body) => !/[aeiu]/.test(body))],
    [
      [
        { op: "|=", text: "s" },
        { op: "!=", text: "'" },
        { op: "|~", text: "r|k" },
        { op: "!~", text: "^t" },
      ],
      ["100% sure", "back\\slash", "under_score"],
    ],
  ])("applies %j", async (line, want) => {
    const store = given();
    expect(await bodies(store, { line })).toEqual(want.toSorted());
  });

  test("applies a regular expression that is too large for some engines", async () => {
    const store = given();
    const text = "plain|\\pL{900}";
    expect(await bodies(store, { line: [{ op: "|~", text }] })).toEqual(["plain text"]);
  });

  test("refuses what is not a regular expression", async () => {
    const store = given();
    await expect((async () => bodies(store, { line: [{ op: "|~", text: "(" }] }))()).rejects.toThrow(
      /regular expression/,
    );
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

function describeStreams(make: () => Promise<LogStoreFixture>, write: Write): void {
  const rows: readonly LogRow[] = [
    { timeNs: T, body: "a1", labels: { app: "a", pod: "1" } },
    { timeNs: T + 10n, body: "a2", labels: { app: "a", pod: "2" } },
    { timeNs: T + 20n, body: "b", labels: { app: 'it\'s "b"' } },
    { timeNs: T + 30n, body: "a1 again", labels: { app: "a", pod: "1" } },
    { timeNs: T + 40n, body: "none" },
  ];
  describeWith("streams", make, (store) => write(store, rows), streamTests);
}

function streamTests(given: () => LogStore): void {
  test.each([
    [[{ name: "app", op: "=", value: "a" }], ["a1", "a1 again", "a2"]],
    [[{ name: "app", op: "!=", value: "a" }], ["b", "none"]],
    [[{ name: "app", op: "=~", value: "a|x" }], ["a1", "a1 again", "a2"]],
    [[{ name: "app", op: "=~", value: ".+'.*" }], ["b"]],
    [[{ name: "app", op: "=", value: "" }], ["none"]],
    [[{ name: "pod", op: "=~", value: ".+" }], ["a1", "a1 again", "a2"]],
    [[{ name: "pod", op: "!~", value: "1" }], ["a2", "b", "none"]],
    [
      [
        { name: "app", op: "=", value: "a" },
        { name: "pod", op: "!=", value: "2" },
      ],
      ["a1", "a1 again"],
    ],
    [[{ name: "app", op: "=", value: "' OR 1=1 --" }], []],
  ] as const)("selects %j", async (matchers, want) => {
    expect(await bodies(given(), { matchers })).toEqual(want);
  });

  test("lists each stream with records in the range once", async () => {
    const store = given();
    const streams = async (startNs: bigint, endNs: bigint, value = ".*") => {
      const matchers = [{ name: "app", op: "=~" as const, value }];
      const found = await store.streams({ tenant: DEFAULT_TENANT, range: { startNs, endNs }, matchers }, on);
      return found.map(({ labels }) => labels.map(([, text]) => text).join()).sort();
    };
    expect(await streams(T, NOW)).toEqual(["", "a,1", "a,2", 'it\'s "b"']);
    expect(await streams(T, NOW, "a")).toEqual(["a,1", "a,2"]);
    expect(await streams(T + 1n, T + 30n)).toEqual(["a,2", 'it\'s "b"']);
    expect(await streams(T + 11n, T + 20n)).toEqual([]);
    expect(await streams(T + 30n, T + 31n)).toEqual(["a,1"]);
  });
}

function describeRefusals(given: Given): void {
  test("refuses records of 1970 and 2100 by name and keeps the others of the batch", async () => {
    const { store } = given();
    const rows = [{ timeNs: 1n }, { timeNs: T, body: "good" }, { timeNs: 4_102_444_800n * SECOND }, { timeNs: 2n }];
    const result = await store.append(DEFAULT_TENANT, logBatchOf(rows), ++position);
    expect(result.accepted).toBe(1);
    expect(result.rejected.map(({ reason, count }) => [reason, count]).sort()).toEqual([
      ["too_new", 1],
      ["too_old", 2],
    ]);
    expect(result.rejected.every(({ message }) => message.includes("storage."))).toBe(true);
    expect(await bodies(store)).toEqual(["good"]);
  });

  test("takes an empty batch", async () => {
    expect(await given().store.append(DEFAULT_TENANT, logBatchOf([]), ++position)).toEqual({
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

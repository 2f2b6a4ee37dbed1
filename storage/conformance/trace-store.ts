import type { Attributes } from "@sightline/model/attributes.ts";
import { DEFAULT_TENANT, type TenantId, tenantId } from "@sightline/model/tenant.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SpanRow, spanBatchOf, spanRowsOf } from "./span-batch-of.ts";

/** A store under test on data of its own. */
export type TraceStoreFixture = {
  readonly store: TraceStore;
  /** Abandons the newest store as `kill -9` would, without flushing, and opens what it kept. */
  reopen(): Promise<TraceStore>;
  /** Merges files and the like, if the store does such things. */
  maintain?(): Promise<void>;
  dispose(): Promise<void>;
};

const SECOND = 1_000_000_000n;
const HOUR = 3_600n * SECOND;
const NOW = BigInt(Date.now()) * 1_000_000n;
const T = NOW - HOUR;
const OTHER_TENANT = tenantId("other");
const on = new AbortController().signal;

/** What every {@link TraceStore} must do. The store must refuse spans of the years 1970 and 2100. */
export function describeTraceStore(name: string, make: () => Promise<TraceStoreFixture>): void {
  describe(`${name} as a trace store`, () => {
    let fixture: TraceStoreFixture;
    let store: TraceStore;
    beforeEach(async () => {
      fixture = await make();
      store = fixture.store;
    });
    afterEach(() => fixture.dispose());
    const given = () => ({ store, fixture });

    describe.each(["in memory", "flushed", "half flushed"] as const)("%s", (where) => {
      const write = async (rows: readonly SpanRow[], tenant = DEFAULT_TENANT) => {
        const half = where === "half flushed" ? Math.ceil(rows.length / 2) : rows.length;
        await append(store, rows.slice(0, half), tenant);
        if (where !== "in memory") await store.flush();
        if (half < rows.length) await append(store, rows.slice(half), tenant);
      };
      describeSpans(given, write);
      describeCatalog(given, write);
      describeDeletion(given, write);
    });
    describeRefusals(given);
    describeRestart(given);
  });
}

type Given = () => { readonly store: TraceStore; readonly fixture: TraceStoreFixture };
type Write = (rows: readonly SpanRow[], tenant?: TenantId) => Promise<void>;

let position = 0;
async function append(store: TraceStore, rows: readonly SpanRow[], tenant = DEFAULT_TENANT): Promise<void> {
  const result = await store.append(tenant, spanBatchOf(rows), ++position);
  expect(result).toEqual({ accepted: rows.length, rejected: [] });
}

/** Sorted by start and span id. */
async function spansOf(store: TraceStore, traceId: string, tenant = DEFAULT_TENANT): Promise<Required<SpanRow>[]> {
  const rows = (await store.trace(tenant, traceId, on)).flatMap(spanRowsOf);
  return rows.sort((a, b) => Number(a.startNs - b.startNs) || (a.spanId < b.spanId ? -1 : 1));
}

const trace = (n: number | bigint) => n.toString(16).padStart(32, "0");
const span = (n: number | bigint) => n.toString(16).padStart(16, "0");
const service = (name: string): Attributes => [{ name: "service.name", type: "string", value: name }];
const normal = (row: SpanRow) => spanRowsOf(spanBatchOf([row]))[0] as Required<SpanRow>;

const ALL_TYPES: Attributes = [
  { name: "", type: "string", value: "no name" },
  { name: "bool", type: "bool", value: "false" },
  { name: "bytes", type: "bytes", value: "AAEC/w==" },
  { name: "double", type: "double", value: "-0.1" },
  { name: "int", type: "int", value: "9223372036854775807" },
  { name: "json", type: "json", value: '{"a":[1,"\\u0000",null]}' },
  { name: "start'; DROP TABLE spans; --", type: "string", value: "zoë 😀 \u0000 ' \" \\ \n" },
];

const FULL: SpanRow = {
  traceId: "fedcba9876543210f000000000000001",
  spanId: "f0000000000000ff",
  parentSpanId: "8000000000000000",
  traceState: "vendor=1,other='x'",
  flags: 0xffffffff,
  name: "GET /a?b='c' \u0000 😀",
  kind: 5,
  startNs: T + 123_456_789n,
  durationNs: 987_654_321n,
  statusCode: 2,
  statusMessage: 'it\'s "bad"',
  resource: [...ALL_TYPES, ...service("shop")],
  resourceSchemaUrl: "https://example.com/resource",
  scope: { name: "lib", version: "1.2", attributes: ALL_TYPES, schemaUrl: "https://example.com/scope" },
  attributes: ALL_TYPES,
  events: [
    { timeNs: T + 123_456_790n, name: "exception", attributes: ALL_TYPES, droppedAttributes: 4 },
    { timeNs: 0n, name: "", attributes: [] },
  ],
  links: [
    { traceId: trace(7), spanId: span(8), traceState: "a=b", attributes: ALL_TYPES, flags: 2 ** 32 - 1 },
    { traceId: trace(7), spanId: span(9), traceState: "", attributes: [], droppedAttributes: 5 },
    { traceId: "", spanId: "", traceState: "", attributes: [] },
  ],
  dropped: { attributes: 1, events: 2 ** 32 - 1, links: 3 },
};

function describeSpans(given: Given, write: Write): void {
  test("gives back whole spans, every field, event, link and the type of every attribute", async () => {
    const { store } = given();
    const bare = { traceId: FULL.traceId, spanId: span(1), startNs: T };
    await write([FULL, bare]);
    expect(await spansOf(store, FULL.traceId)).toEqual([normal(bare), normal(FULL)]);
  });

  test("finds the spans of a trace wherever they are, and no others", async () => {
    const { store } = given();
    const rows = Array.from({ length: 60 }, (_, i) => ({
      traceId: trace(i % 3 === 0 ? 0xabcn << 64n : i),
      spanId: span(i + 1),
      startNs: T - BigInt(i % 5) * 24n * HOUR + BigInt(i),
    }));
    for (let i = 0; i < rows.length; i += 12) await write(rows.slice(i, i + 12));
    const found = await spansOf(store, trace(0xabcn << 64n));
    expect(found.map(({ spanId }) => spanId).sort()).toEqual(
      rows
        .filter((_, i) => i % 3 === 0)
        .map(({ spanId }) => spanId)
        .sort(),
    );
    expect((await spansOf(store, trace(1))).map(({ spanId }) => spanId)).toEqual([span(2)]);
    expect(await spansOf(store, trace(2n ** 127n))).toEqual([]);
  });

  test("finds every one of a thousand traces", async () => {
    const { store } = given();
    const ids = Array.from({ length: 1_000 }, (_, i) =>
      trace((BigInt(i) * 0x9e3779b97f4a7c15f39cc060n + 1n) % 2n ** 128n),
    );
    await write(ids.flatMap((traceId, i) => [1, 2].map((n) => ({ traceId, spanId: span(n), startNs: T + BigInt(i) }))));
    for (const id of ids.filter((_, i) => i % 37 === 0)) expect(await spansOf(store, id)).toHaveLength(2);
  });

  test("gives a span that was sent twice back once", async () => {
    const { store } = given();
    const row = { traceId: trace(1), spanId: span(1), startNs: T, name: "a" };
    await write([row, { ...row, spanId: span(2) }, row, row]);
    await write([row]);
    expect((await spansOf(store, trace(1))).map(({ spanId }) => spanId)).toEqual([span(1), span(2)]);
  });

  test("gives all spans that start in a range, the start included and the end not", async () => {
    const { store } = given();
    const rows = [-1n, 0n, 5n, 9n, 10n, 24n * HOUR * -1n].map((shift, i) => {
      return { traceId: trace(i + 1), spanId: span(i + 1), startNs: T + shift, name: `s${i}` };
    });
    await write(rows);
    await write([{ traceId: trace(1), spanId: span(1), startNs: T, name: "theirs" }], OTHER_TENANT);
    const found: string[] = [];
    for await (const batch of store.spans(DEFAULT_TENANT, { startNs: T, endNs: T + 10n }, on))
      found.push(...batch.names);
    expect(found.sort()).toEqual(["s1", "s2", "s3"]);
  });

  test("keeps tenants apart", async () => {
    const { store } = given();
    await write([{ traceId: trace(1), spanId: span(1), startNs: T, name: "mine", resource: service("mine") }]);
    await write([{ traceId: trace(1), spanId: span(1), startNs: T, name: "theirs" }], OTHER_TENANT);
    expect((await spansOf(store, trace(1))).map(({ name }) => name)).toEqual(["mine"]);
    expect((await spansOf(store, trace(1), OTHER_TENANT)).map(({ name }) => name)).toEqual(["theirs"]);
    expect(await store.services(OTHER_TENANT, on)).toEqual([]);
    expect(await spansOf(store, trace(1), tenantId("nobody"))).toEqual([]);
  });

  test("finds nothing for what is no id", async () => {
    const { store } = given();
    await write([FULL]);
    for (const id of ["", "1", "' OR 1=1 --", "f".repeat(33), "g".repeat(32), "0".repeat(32)]) {
      expect({ id, found: await store.trace(DEFAULT_TENANT, id, on) }).toEqual({ id, found: [] });
    }
  });
}

function describeCatalog(given: Given, write: Write): void {
  test("lists services and operations, each once, sorted", async () => {
    const { store } = given();
    const row = (name: string, kind: number, resource: Attributes = []) => {
      return { traceId: trace(1), spanId: span(++position), startNs: T, name, kind, resource };
    };
    await write([
      row("b", 2, service("shop")),
      row("a", 3, service("shop")),
      row("it's", 1, service("cart 'x'")),
      row("nobody's", 1),
      row("b", 2, service("shop")),
      row("a", 2, service("shop")),
    ]);
    expect(await store.services(DEFAULT_TENANT, on)).toEqual(["cart 'x'", "shop"]);
    expect(await store.operations(DEFAULT_TENANT, "shop", on)).toEqual([
      { name: "a", kind: 2 },
      { name: "a", kind: 3 },
      { name: "b", kind: 2 },
    ]);
    expect(await store.operations(DEFAULT_TENANT, "cart 'x'", on)).toEqual([{ name: "it's", kind: 1 }]);
    expect(await store.operations(DEFAULT_TENANT, "nobody", on)).toEqual([]);
  });
}

function describeDeletion(given: Given, write: Write): void {
  const user = (name: string): Attributes => [{ name: "user.id", type: "string", value: name }];
  const rows = [
    { traceId: trace(1), spanId: span(1), startNs: T, name: "a", resource: service("shop"), attributes: user("ann") },
    { traceId: trace(1), spanId: span(2), startNs: T + 1n, name: "b", resource: service("shop") },
    {
      traceId: trace(1),
      spanId: span(3),
      startNs: T + 9n,
      name: "a",
      resource: service("shop"),
      attributes: user("ann"),
    },
    { traceId: trace(2), spanId: span(4), startNs: T, name: "c", resource: [...service("cart"), ...user("ann")] },
  ];
  const ofAnn = {
    tenant: DEFAULT_TENANT,
    range: { startNs: T, endNs: T + 9n },
    matchers: [],
    line: [],
    attributes: [{ name: "user.id", op: "=" as const, value: "ann" }],
    description: "what Ann did",
  };

  test("deleted spans are gone at once, after a crash, and when they are removed", async () => {
    const { store, fixture } = given();
    await write(rows);
    await write(rows, OTHER_TENANT);
    const deletion = await store.deleteRows(ofAnn, on);
    expect(deletion).toMatchObject({ rows: 2, state: "hidden", description: "what Ann did", range: ofAnn.range });
    const check = async (current: TraceStore) => {
      expect((await spansOf(current, trace(1))).map(({ spanId }) => spanId)).toEqual([span(2), span(3)]);
      expect(await spansOf(current, trace(2))).toEqual([]);
      expect(await spansOf(current, trace(1), OTHER_TENANT)).toHaveLength(3);
    };
    await check(store);
    const again = await fixture.reopen();
    await check(again);
    await fixture.maintain?.();
    await check(again);
    if (fixture.maintain) {
      expect(await again.deletions(DEFAULT_TENANT)).toMatchObject([{ id: deletion.id, state: "removed", rows: 2 }]);
      expect(await again.services(DEFAULT_TENANT, on)).toEqual(["shop"]);
    }
    expect(await again.deletions(OTHER_TENANT)).toEqual([]);
  });

  test("a deletion can be cancelled by its tenant", async () => {
    const { store } = given();
    await write(rows);
    const { id } = await store.deleteRows(ofAnn, on);
    expect(await store.cancelDeletion(OTHER_TENANT, id)).toBe(false);
    expect(await store.cancelDeletion(DEFAULT_TENANT, id)).toBe(true);
    expect(await store.cancelDeletion(DEFAULT_TENANT, id)).toBe(false);
    expect(await spansOf(store, trace(1))).toHaveLength(3);
    expect(await store.deletions(DEFAULT_TENANT)).toEqual([]);
  });
}

function describeRefusals(given: Given): void {
  test("refuses spans of 1970 and 2100 by name and keeps the others of the batch", async () => {
    const { store } = given();
    const rows = [1n, T, 4_102_444_800n * SECOND, 2n].map((startNs, i) => ({
      traceId: trace(1),
      spanId: span(i + 1),
      startNs,
    }));
    const result = await store.append(DEFAULT_TENANT, spanBatchOf(rows), ++position);
    expect(result.accepted).toBe(1);
    expect(result.rejected.map(({ reason, count }) => [reason, count]).sort()).toEqual([
      ["too_new", 1],
      ["too_old", 2],
    ]);
    expect((await spansOf(store, trace(1))).map(({ spanId }) => spanId)).toEqual([span(2)]);
  });

  test("refuses spans without proper ids and keeps the others of the batch", async () => {
    const { store } = given();
    const good = { traceId: trace(1), spanId: span(1), startNs: T };
    const bad = [{ traceId: "" }, { traceId: "0".repeat(32) }, { spanId: "xyz" }, { spanId: span(0) }];
    const rows = [...bad.map((change) => ({ ...good, ...change })), good];
    const result = await store.append(DEFAULT_TENANT, spanBatchOf(rows), ++position);
    expect(result).toMatchObject({ accepted: 1, rejected: [{ reason: "invalid", count: 4 }] });
    expect(await spansOf(store, trace(1))).toHaveLength(1);
  });

  test("stops a query whose signal has been aborted", async () => {
    const { store } = given();
    await append(store, [FULL]);
    await store.flush();
    const controller = new AbortController();
    controller.abort(new Error("the client went away"));
    const { signal } = controller;
    await expect(store.trace(DEFAULT_TENANT, FULL.traceId, signal)).rejects.toThrow("the client went away");
    await expect(store.services(DEFAULT_TENANT, signal)).rejects.toThrow("the client went away");
    await expect(store.operations(DEFAULT_TENANT, "shop", signal)).rejects.toThrow("the client went away");
  });
}

function describeRestart(given: Given): void {
  const log = [0, 1, 2, 3].map((i) => [
    { traceId: trace(1), spanId: span(i + 1), startNs: T + BigInt(i), resource: service(`s${i}`) },
  ]);

  test("has everything once after a crash and the replay of the whole log", async () => {
    const { store, fixture } = given();
    for (const [i, rows] of log.slice(0, 2).entries()) await store.append(DEFAULT_TENANT, spanBatchOf(rows), 100 + i);
    await store.flush();
    for (const [i, rows] of log.slice(2).entries()) await store.append(DEFAULT_TENANT, spanBatchOf(rows), 102 + i);
    const reopened = await fixture.reopen();
    expect(await spansOf(reopened, trace(1))).toHaveLength(2);
    for (const [i, rows] of log.entries()) {
      expect(await reopened.append(DEFAULT_TENANT, spanBatchOf(rows), 100 + i)).toEqual({ accepted: 1, rejected: [] });
    }
    expect(await spansOf(reopened, trace(1))).toHaveLength(4);
    expect(await reopened.services(DEFAULT_TENANT, on)).toEqual(["s0", "s1", "s2", "s3"]);
  });

  test("says from where on the log must be kept", async () => {
    const { store } = given();
    expect(store.firstUnflushedPosition()).toBeUndefined();
    await store.append(DEFAULT_TENANT, spanBatchOf([FULL]), 5_000);
    await store.append(OTHER_TENANT, spanBatchOf([FULL]), 5_001);
    expect(store.firstUnflushedPosition()).toBe(5_000);
    await store.flush();
    expect(store.firstUnflushedPosition()).toBeUndefined();
  });

  test("has flushed everything when it has stopped", async () => {
    const { store, fixture } = given();
    await store.append(DEFAULT_TENANT, spanBatchOf([FULL]), 7_000);
    await store.stop();
    await store.stop();
    expect(await spansOf(await fixture.reopen(), FULL.traceId)).toEqual([normal(FULL)]);
  });
}

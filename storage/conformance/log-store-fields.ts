import type { Attribute, Attributes } from "@sightline/model/attributes.ts";
import type { FieldFilter, LogCountGroup, LogCountRequest, LogStore } from "@sightline/model/log-store.ts";
import { lokiLabelName } from "@sightline/model/loki-label-name.ts";
import { compileMatcher } from "@sightline/model/matcher.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labelOfRow } from "./label-of-row.ts";
import type { LogRow } from "./log-batch-of.ts";
import { append, HOUR, type LogStoreFixture, NOW, on, PLACES, SECOND, select, T, writer } from "./log-store-fixture.ts";

const TRACE = "0123456789abcdef0123456789abcdef";
const text = (name: string, value: string): Attribute => ({ name, type: "string", value });
const RECORDS: readonly Omit<LogRow, "timeNs">[] = [
  { body: "plain" },
  { body: "user 1", attributes: [text("user.id", "u-1")], severity: 9, severityText: "INFO" },
  { body: "user 2", attributes: [text("user_id", "u-2")], severity: 17, severityText: "ERROR", traceId: TRACE },
  { body: "user of the resource", resource: [text("user.id", "u-1")], labels: { app: "a" } },
  { body: "own before the resource's", resource: [text("user.id", "u-1")], attributes: [text("user.id", "u-3")] },
  { body: "label before its own", labels: { user_id: "u-4" }, attributes: [text("user.id", "u-1")] },
  { body: "empty counts as none", resource: [text("user.id", "u-1")], attributes: [text("user.id", "")] },
  { body: "back\\slash" },
  { body: "number", attributes: [{ name: "http.status", type: "int", value: "500" }] },
  { body: "odd trace", traceId: "odd" },
  { body: "nested", attributes: [{ name: "user", type: "json", value: '{"id":"u-1"}' }] },
  { body: "scope", scope: { name: "lib", version: "1", attributes: [text("user-id", "u-5")], schemaUrl: "" } },
];
const ROWS = RECORDS.map((row, i): LogRow => ({ ...row, timeNs: T + BigInt(i) * SECOND }));

const RANGE = { startNs: T - HOUR, endNs: NOW };

/** Filters by labels that are not the stream's, and counts. */
export function describeLogFields(name: string, make: () => Promise<LogStoreFixture>): void {
  describe.each(PLACES)(`labels of records of ${name}, %s`, (where) => {
    let fixture: LogStoreFixture;
    beforeAll(async () => {
      fixture = await make();
      await writer(where)(fixture.store, ROWS);
    });
    afterAll(() => fixture.dispose());

    test.each([
      ["pl[a]in", ["plain"]],
      ["\\\\|pl[a]in", ["plain", "back\\slash"]],
    ])("the hint %s leaves out no record that has the label, nor one whose body matches", async (text, matching) => {
      const hints = [{ label: "user_id", text }];
      const kept = (await select(fixture.store, { range: RANGE, hints })).map(({ body }) => body);
      for (const row of await select(fixture.store, { range: RANGE })) {
        if (labelOfRow(row, "user_id") !== "" || matching.includes(row.body)) expect(kept).toContain(row.body);
      }
    });

    test.each<FieldFilter>([
      { name: "user_id", value: "u-1" },
      { name: "user_id", value: "u-5" },
      { name: "user_id", op: "!=", value: "u-1" },
      { name: "user_id", op: "=~", value: "u-[12]" },
      { name: "user_id", op: "!~", value: "u-1|u-2" },
      { name: "user_id", value: "" },
      { name: "user_id", op: "!=", value: "" },
      { name: "trace_id", value: TRACE },
      { name: "trace_id", value: "odd" },
      { name: "trace_id", value: "" },
      { name: "trace_id", op: "=~", value: "0123.+" },
      { name: "severity_text", value: "ERROR" },
      { name: "severity_number", op: "=~", value: "9|17" },
      { name: "http_status", value: "500" },
      { name: "scope_name", value: "lib" },
      { name: "app", op: "!=", value: "a" },
      { name: "absent", value: "x" },
      { name: "absent", op: "!=", value: "x" },
    ])("gives no fewer records than meet %j, and others only when it can't tell", async (filter) => {
      const isEasy = !["user_id", "trace_id"].includes(filter.name);
      await expectFiltered(fixture.store, [filter], isEasy);
    });

    test("counts by labels and buckets", async () => {
      const request = countRequest({ by: ["severity_text", "app"], bucketNs: 3n * SECOND, withBytes: true });
      await expectCounts(fixture.store, request, true);
    });

    test("counts what meets filters of lines and labels", async () => {
      const line = [{ op: "|=" as const, text: "u" }];
      const fields = [{ name: "severity_number", op: "!=" as const, value: "17" }];
      await expectCounts(fixture.store, countRequest({ by: ["severity_number"], line, fields }), true);
    });

    test.each([1n, 999_999n, 1_500_000n])("counts in buckets that begin %d ns after records do", async (shiftNs) => {
      const range = { startNs: T + shiftNs, endNs: T + 12n * SECOND };
      await expectCounts(fixture.store, countRequest({ by: ["app"], range, bucketNs: SECOND, withBytes: true }), true);
    });

    test("counts nothing where there is nothing", async () => {
      const range = { startNs: NOW - 90n * HOUR, endNs: NOW - 80n * HOUR };
      if (fixture.store.counts) expect(await fixture.store.counts(countRequest({ range }), on)).toEqual([]);
    });

    test("counts no more groups than are wanted", async () => {
      const request = countRequest({ by: ["severity_text"], maxGroups: 2 });
      expect(await fixture.store.counts?.(request, on)).toBeUndefined();
    });
  });

  test(`whatever is asked, ${name} filters and counts as reading everything does`, { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(row, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
        fc.array(fc.record({ fields: fc.array(filter, { maxLength: 3 }), by }), { minLength: 1, maxLength: 6 }),
        (parts, queries) => compareWithReading(make, parts, queries),
      ),
      { numRuns: rounds(5) },
    ),
  );
}

const NAMES = ["user_id", "a", "a_b", "trace_id", "severity_text", "severity_number", "key_1", "scope_name", "gone"];
const VALUES = ["", "1", "x", "x'y", "{", "u-1"];
/** Labels that records may have by attributes of their own. */
export const by = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 });
/** By some of these labels. */
export const filter: fc.Arbitrary<FieldFilter> = fc.record({
  name: fc.constantFrom(...NAMES),
  op: fc.constantFrom("=" as const, "!=" as const, "=~" as const, "!~" as const),
  value: fc.constantFrom(...VALUES.filter((value) => value !== "{"), ".+", "x|1", "u-.", TRACE),
});
const attribute = fc.oneof(
  fc.record({
    name: fc.constantFrom("user.id", "user_id", "a", "a.b", "1", "severity_text", "trace_id", "other"),
    type: fc.constantFrom("string" as const, "int" as const),
    value: fc.constantFrom(...VALUES),
  }),
  fc.record({
    name: fc.constantFrom("a", "user", "other"),
    type: fc.constant("json" as const),
    value: fc.constantFrom('{"b":"x"}', '{"id":1}', "[1]", "{}"),
  }),
);
const attributes = fc.uniqueArray(attribute, { maxLength: 3, selector: ({ name, type }) => `${type}:${name}` });
const row: fc.Arbitrary<LogRow> = fc.record(
  {
    timeNs: fc.integer({ min: 0, max: 50 }).map((i) => T + BigInt(i) * SECOND),
    body: fc.constantFrom("", "ä", "abc"),
    labels: fc.constantFrom({}, { app: "x" }, { a: "1" }, { user_id: "u-1" }),
    resource: fc.uniqueArray(attribute, { maxLength: 2, selector: ({ name }) => name }),
    severity: fc.integer({ min: 0, max: 3 }),
    severityText: fc.constantFrom("", "x"),
    traceId: fc.constantFrom("", TRACE, "x"),
    attributes,
  },
  { requiredKeys: ["timeNs"] },
);
type Query = { readonly fields: readonly FieldFilter[]; readonly by: readonly string[] };

async function compareWithReading(
  make: () => Promise<LogStoreFixture>,
  parts: readonly (readonly LogRow[])[],
  queries: readonly Query[],
): Promise<void> {
  const fixture = await make();
  try {
    for (const [i, rows] of parts.entries()) {
      await append(fixture.store, rows);
      if (i % 2 === 0) await fixture.store.flush();
    }
    if (parts.length === 4) await fixture.maintain?.();
    for (const { fields, by: names } of queries) {
      await expectFiltered(fixture.store, fields);
      await expectCounts(fixture.store, countRequest({ fields, by: names, bucketNs: 7n * SECOND, withBytes: true }));
    }
  } finally {
    await fixture.dispose();
  }
}

/** Undefined when that can't be said. */
function meets(row: Required<LogRow>, fields: readonly FieldFilter[]): boolean | undefined {
  let isSure = true;
  for (const { name, op = "=", value } of fields) {
    const found = labelOfRow(row, name);
    if (found === undefined || isNested(row, name)) isSure = false;
    else if (!compileMatcher({ name, op, value })(found)) return false;
  }
  return isSure ? true : undefined;
}

/**
 * Nobody asks a store to look into nested attributes. What goes before them leaves nothing to look for: a label of the stream,
 * and before those of the resource what the record itself says.
 */
function isNested(row: Required<LogRow>, label: string): boolean {
  if (row.labels[label]) return false;
  if (mayHold(row.attributes, label)) return true;
  const own = labelOfRow(
    { ...row, resource: [], scope: { ...row.scope, name: "", version: "", attributes: [] } },
    label,
  );
  return own === "" && mayHold(row.resource, label);
}

function mayHold(attributes: Attributes, label: string): boolean {
  const maps = attributes.filter(({ type, value }) => type === "json" && value.startsWith("{"));
  return maps.map(({ name }) => lokiLabelName(name)).some((name) => label === name || label.startsWith(`${name}_`));
}

/** With `isEasy` no record must be given that does not meet the filters. */
async function expectFiltered(store: LogStore, fields: readonly FieldFilter[], isEasy = false): Promise<void> {
  if (!store.appliesFields) return;
  const key = ({ timeNs, body }: LogRow) => `${timeNs} ${body}`;
  const all = await select(store, { range: RANGE });
  const sure = all.filter((row) => meets(row, fields) === true);
  for (const limit of [1, 3, 10_000]) {
    const given = await select(store, { range: RANGE, fields, limit });
    if (isEasy) expect(given.filter((row) => meets(row, fields) === false)).toEqual([]);
    const met = given.filter((row) => meets(row, fields) === true);
    expect(met.length).toBeGreaterThanOrEqual(Math.min(limit, sure.length));
    if (limit > all.length) expect(met.map(key).sort()).toEqual(sure.map(key).sort());
  }
}

/** All records of the tenant, one bucket an hour, unless said otherwise. */
export function countRequest(request: Partial<LogCountRequest>): LogCountRequest {
  const all = { tenant: DEFAULT_TENANT, range: RANGE, matchers: [], line: [], by: [], bucketNs: HOUR };
  return { ...all, withBytes: false, maxGroups: 1_000, ...request };
}

/** A store may always decline, unless `isEasy`. */
export async function expectCounts(store: LogStore, request: LogCountRequest, isEasy = false): Promise<void> {
  const counted = await store.counts?.(request, on);
  if (!counted) {
    expect(isEasy && store.counts !== undefined).toBe(false);
    return;
  }
  const wanted = new Map<string, { count: number; bytes: number }>();
  for (const row of await select(store, request)) {
    const verdict = meets(row, request.fields ?? []);
    if (verdict === false) continue;
    expect(verdict, "counted although it can't tell").toBe(true);
    const values = request.by.map((name) => labelOfRow(row, name));
    const bucket = Number((row.timeNs - request.range.startNs) / request.bucketNs);
    const key = JSON.stringify([values, bucket]);
    const cell = wanted.get(key) ?? { count: 0, bytes: 0 };
    wanted.set(key, { count: cell.count + 1, bytes: cell.bytes + Buffer.byteLength(row.body) });
  }
  expect(cellsOf(counted, request.withBytes)).toEqual(
    [...wanted].map(([key, { count, bytes }]) => [key, count, request.withBytes ? bytes : undefined]).sort(),
  );
}

function cellsOf(groups: readonly LogCountGroup[], withBytes: boolean): unknown[] {
  return groups
    .flatMap(({ values, buckets, counts, bytes }) =>
      [...buckets].map((bucket, i) => [
        JSON.stringify([values, bucket]),
        counts[i],
        withBytes ? bytes?.[i] : undefined,
      ]),
    )
    .sort();
}

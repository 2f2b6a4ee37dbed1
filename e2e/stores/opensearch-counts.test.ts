import type { Attribute } from "@sightline/model/attributes.ts";
import type { LineFilter } from "@sightline/model/line-filter.ts";
import type { FieldFilter } from "@sightline/model/log-store.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import type { LogRow } from "@sightline/storage-conformance/log-batch-of.ts";
import { by, countRequest, expectCounts, filter } from "@sightline/storage-conformance/log-store-fields.ts";
import { append, SECOND, T } from "@sightline/storage-conformance/log-store-fixture.ts";
import { OpenSearchLogStore } from "@sightline/storage-opensearch/logs/open-search-log-store.ts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenSearchNode, OpenSearchStores, openSearchMissing, openSearchNode } from "./opensearch-fixtures.ts";

const missing = openSearchMissing();

const attribute = (name: string, value: string): Attribute => ({ name, type: "string", value });
/** More than are read one by one; every label comes in several ways. */
const ROWS = Array.from({ length: 6_000 }, (_, i): LogRow => {
  const attributes = [
    ...(i % 3 > 0 ? [attribute("http.method", ["GET", "POST", "PUT"][(i % 7) % 3] as string)] : []),
    attribute(i % 2 === 0 ? "user.id" : "user_id", `u-${i % 5}`),
    attribute("a", ["", "1", "x", "x'y"][i % 4] as string),
    attribute("request", `r-${i}`),
    ...(i % 11 === 0 ? [attribute("severity_text", "x")] : []),
  ];
  const resource = i % 13 === 0 ? [attribute("a.b", "1")] : [];
  const labels = i % 17 === 0 ? { user_id: "u-9" } : { app: `app-${i % 2}` };
  const severity = [0, 9, 17][i % 3] as number;
  return { timeNs: T + BigInt(i % 100) * SECOND, body: `ä ${i % 10} GET`, severity, labels, resource, attributes };
});
/** In records of their own, so that only questions by this label are hard. */
const HARD_ROWS: readonly LogRow[] = [
  { timeNs: T, body: "two of one label", attributes: [attribute("twice", "1"), attribute("twice_", "2")] },
  { timeNs: T, body: "map", attributes: [{ name: "user", type: "json", value: '{"id":"u-1"}' }] },
];

describe.skipIf(missing !== undefined)("counts on OpenSearch by attributes of many records", () => {
  let node: OpenSearchNode;
  let stores: OpenSearchStores;
  let store: OpenSearchLogStore;
  beforeAll(async () => {
    node = await openSearchNode();
    stores = new OpenSearchStores(node.url);
    store = new OpenSearchLogStore(stores.options());
    await store.start();
    for (let i = 0; i < ROWS.length; i += 1_000) await append(store, ROWS.slice(i, i + 1_000));
    await append(store, HARD_ROWS);
    await store.flush();
  }, 1_200_000);
  afterAll(async () => {
    await store?.stop();
    await stores?.dispose();
    await node?.dispose();
  });

  test.each<[names: readonly string[], fields: readonly FieldFilter[]]>([
    [["http_method"], []],
    [["app", "http_method"], []],
    [["a", "http_method"], []],
    [["http_method", "severity_number"], []],
    [["app"], [{ name: "http_method", op: "!=", value: "GET" }]],
    [["http_method"], [{ name: "request", value: "r-77" }]],
    [[], [{ name: "request", value: "r-77" }]],
    [[], [{ name: "http_method", op: "=~", value: "P.+" }]],
  ])("by %j with %j", async (names, fields) => {
    await expectCounts(store, countRequest({ by: names, fields, bucketNs: 7n * SECOND, withBytes: true }), true);
  });

  test.each<LineFilter>([
    { op: "!=", text: "7 GET" },
    { op: "!~", text: "7.GET$" },
  ])("of lines without $text, which may be in some of them", async (line) => {
    await expectCounts(
      store,
      countRequest({ by: ["app"], line: [line], bucketNs: 7n * SECOND, withBytes: true }),
      true,
    );
  });

  test("leaves what has too many values to the caller", async () => {
    const request = countRequest({ by: ["request"], maxGroups: 10_000 });
    expect(await store.counts(request, new AbortController().signal)).toBeUndefined();
  });

  test("whatever is asked, counts are those of the rows", { timeout: 600_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(anyFilter, { maxLength: 2 }),
        anyBy,
        line,
        fc.integer({ min: 0, max: 2 }),
        (...query) => {
          const [fields, names, line, shift] = query;
          const range = { startNs: T + BigInt(shift), endNs: T + 60n * SECOND };
          return expectCounts(store, countRequest({ by: names, fields, line, range, bucketNs: 9n * SECOND }));
        },
      ),
      { numRuns: rounds(10) },
    ),
  );
});

const anyFilter = fc.oneof(
  filter,
  fc.record({
    name: fc.constantFrom("http_method", "user_id", "a", "request", "twice"),
    op: fc.constantFrom("=" as const, "!=" as const, "=~" as const, "!~" as const),
    value: fc.constantFrom("GET", "u-3", "P.*", "", "r-5", "x|1"),
  }),
);
const anyBy = fc.oneof(by, fc.uniqueArray(fc.constantFrom("http_method", "user_id", "a", "a_b", "twice", "app")));
const line = fc.array(
  fc.record<LineFilter>({
    op: fc.constantFrom("|=" as const, "!=" as const, "|~" as const, "!~" as const),
    text: fc.constantFrom("GET", "7", "[3-5]", "ä", "7 GET", "4.GET"),
  }),
  { maxLength: 1 },
);

import { inspect } from "node:util";
import type { LogRequest, LogStore } from "@sightline/model/log-store.ts";
import type { RowDeletion } from "@sightline/model/row-deletion.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LogRow, logBatchOf, logRowsOf } from "./log-batch-of.ts";
import type { LogStoreFixture } from "./log-store-fixture.ts";
import { ReferenceLogStore } from "./reference-log-store.ts";

const SECOND = 1_000_000_000n;
const NOW = BigInt(Date.now()) * 1_000_000n;

/** Any history of appends, flushes and crashes with replay leaves the store with what the reference store has. */
export function describeRandomLogHistories(make: () => Promise<LogStoreFixture>): void {
  test("agrees with the reference store after any history", { timeout: 300_000 }, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 12 }),
        fc.array(query, { minLength: 1, maxLength: 6 }),
        (steps, queries) => runHistory(make, steps, queries),
      ),
      { numRuns: rounds(5) },
    ),
  );
}

const timeNs = fc.oneof(
  fc.integer({ min: 0, max: 20 }).map((i) => NOW - 100n * SECOND + BigInt(i) * SECOND),
  fc.integer({ min: 0, max: 72 }).map((i) => NOW - BigInt(i) * 3_600n * SECOND),
);
const attribute = fc.record({
  name: fc.constantFrom("a", "b.c", "ä \"'", "", "tail"),
  type: fc.constantFrom("string" as const, "int" as const, "json" as const),
  value: fc.constantFrom("", "1", "x'y", "[1]"),
});
const row: fc.Arbitrary<LogRow> = fc.record(
  {
    timeNs,
    body: fc.oneof(
      fc.constantFrom("GET /a", "POST /b 100%", "line\nbreak", "it's", ""),
      fc.string({ unit: "grapheme" }),
    ),
    labels: fc.constantFrom({}, { app: "a" }, { app: "b", pod: "1" }, { app: "b", pod: "2" }),
    severity: fc.integer({ min: 0, max: 24 }),
    traceId: fc.constantFrom("", "00000000000000000000000000000001", "ffffffffffffffffffffffffffffffff", "odd"),
    // In a record a name comes once, see model/attributes.ts; in others it may have another type.
    attributes: fc.uniqueArray(attribute, { maxLength: 4, selector: ({ name }) => name }),
  },
  { requiredKeys: ["timeNs"] },
);
type Query = Omit<LogRequest, "tenant">;
const query: fc.Arbitrary<Query> = fc.record({
  range: fc
    .tuple(timeNs, timeNs)
    .map(([a, b]) => (a < b ? { startNs: a, endNs: b + 1n } : { startNs: b, endNs: a + 1n })),
  matchers: fc.constantFrom(
    [],
    [{ name: "app", op: "=" as const, value: "b" }],
    [{ name: "app", op: "!=" as const, value: "b" }],
    [{ name: "pod", op: "=~" as const, value: "1|2" }],
  ),
  line: fc.array(
    fc.record({
      op: fc.constantFrom("|=" as const, "!=" as const, "|~" as const, "!~" as const),
      text: fc.constantFrom("GET", "%", "it's", "", "a", "."),
    }),
    { maxLength: 2 },
  ),
  newestFirst: fc.boolean(),
  limit: fc.constantFrom(1, 3, 1_000),
});
/** Which records to delete. */
type Removal = { readonly remove: Omit<RowDeletion, "tenant" | "description"> };
type Step = readonly LogRow[] | Removal | "flush" | "maintain" | "crash" | "cancel";
const removal: fc.Arbitrary<Removal> = fc
  .tuple(
    query,
    fc.constantFrom(
      [],
      [{ name: "a", op: "=" as const, value: "1" }],
      [{ name: "b.c", op: "=~" as const, value: ".+" }],
    ),
  )
  .map(([{ range, matchers, line }, attributes]) => ({ remove: { range, matchers, line, attributes } }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.array(row, { minLength: 1, maxLength: 8 }) },
  { weight: 2, arbitrary: fc.constant("flush" as const) },
  { weight: 2, arbitrary: fc.constantFrom("maintain" as const, "crash" as const, "cancel" as const) },
  { weight: 2, arbitrary: removal },
);

async function runHistory(
  make: () => Promise<LogStoreFixture>,
  steps: readonly Step[],
  queries: readonly Query[],
): Promise<void> {
  const fixture = await make();
  const reference = new ReferenceLogStore();
  try {
    let store = fixture.store;
    const log: (readonly LogRow[])[] = [];
    for (const step of steps) {
      if (step === "flush") await store.flush();
      else if (step === "maintain") await fixture.maintain?.();
      else if (step === "crash") {
        store = await fixture.reopen();
        for (const [position, rows] of log.entries()) await store.append(DEFAULT_TENANT, logBatchOf(rows), position);
      } else if (step === "cancel") {
        const [newest] = await store.deletions(DEFAULT_TENANT);
        if (newest && (await store.cancelDeletion(DEFAULT_TENANT, newest.id))) {
          const [same] = await reference.deletions();
          await reference.cancelDeletion(DEFAULT_TENANT, same?.id ?? "");
        }
      } else if ("remove" in step) {
        const request = { ...step.remove, tenant: DEFAULT_TENANT, description: "some" };
        const { rows } = await store.deleteRows(request, new AbortController().signal);
        expect(rows).toBe((await reference.deleteRows(request)).rows);
      } else {
        await store.append(DEFAULT_TENANT, logBatchOf(step), log.push(step) - 1);
        await reference.append(DEFAULT_TENANT, logBatchOf(step));
      }
    }
    // What was found for one query must not be taken for the answer of another.
    for (const query of [...queries, ...queries.toReversed()]) {
      expect(await answer(store, query)).toEqual(await answer(reference, query));
    }
  } finally {
    await fixture.dispose();
  }
}

/** The times in order, and the rows without one, unless the limit leaves it open which of equal times are taken. */
async function answer(store: LogStore, query: Query): Promise<unknown> {
  const selection = store.select({ ...query, tenant: DEFAULT_TENANT }, new AbortController().signal);
  expect(selection.exact).toBe(true);
  const rows: Required<LogRow>[] = [];
  for await (const batch of selection.batches) rows.push(...logRowsOf(batch));
  const texts = rows.map((row) => inspect(row, { sorted: true, depth: 9 }));
  return { times: rows.map(({ timeNs }) => timeNs), rows: rows.length < query.limit ? texts.sort() : undefined };
}

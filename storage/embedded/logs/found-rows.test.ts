import type { LogBatch } from "@sightline/model/log-batch.ts";
import { logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FoundRows, type WantedRows } from "./found-rows.ts";
import { pickLogRows } from "./log-batch-rows.ts";

const MIB = 1 << 20;

/** What a segment with rows of these times answers. */
function answer(times: readonly number[], { range, newestFirst, limit }: WantedRows): LogBatch {
  const inRange = times.filter((time) => BigInt(time) >= range.startNs && BigInt(time) < range.endNs);
  const ordered = inRange.sort((a, b) => (newestFirst ? b - a : a - b)).slice(0, limit);
  return logBatchOf(ordered.map((time) => ({ timeNs: BigInt(time), body: `line of ${time}` })));
}

const wanted: fc.Arbitrary<WantedRows> = fc.record({
  range: fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 12 }))
    .map(([a, b]) => ({ startNs: BigInt(Math.min(a, b)), endNs: BigInt(Math.max(a, b)) })),
  newestFirst: fc.boolean(),
  limit: fc.integer({ min: 1, max: 6 }),
});

test("what it knows is what the segment would answer", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 12 }), fc.array(wanted), (times, queries) => {
      const found = new FoundRows(MIB);
      for (const query of queries) {
        const known = found.get("key", query);
        const expected = answer(times, query);
        if (known) expect([known.timesNs, known.bodies]).toEqual([expected.timesNs, expected.bodies]);
        else found.set("key", query, expected);
      }
    }),
    { numRuns: 500 },
  );
});

const ALL: WantedRows = { range: { startNs: 0n, endNs: 100n }, newestFirst: true, limit: 3 };
const rowsAt = (...times: number[]) => answer(times, ALL);

test.each<[what: string, query: WantedRows, isKnown: boolean]>([
  ["the same", ALL, true],
  ["a later part", { ...ALL, range: { startNs: 6n, endNs: 100n } }, true],
  ["fewer", { ...ALL, limit: 2 }, true],
  ["more", { ...ALL, limit: 4 }, false],
  ["the other end", { ...ALL, newestFirst: false }, false],
])("of the newest rows is known: %s", (_, query, isKnown) => {
  const found = new FoundRows(MIB);
  found.set("key", ALL, rowsAt(5, 6, 7, 8));
  expect(found.get("key", query) !== undefined).toBe(isKnown);
  expect(found.get("another key", query)).toBeUndefined();
});

test("where nothing was found, nothing is known to be", () => {
  const found = new FoundRows(MIB);
  found.set("key", ALL, rowsAt());
  expect(found.get("key", { ...ALL, limit: 5_000 })).toHaveLength(0);
});

test("the entries used longest ago make room, and none takes more than a part", () => {
  const bytes = (): number => {
    const probe = new FoundRows(MIB);
    probe.set("1", ALL, rowsAt(1));
    return probe.bytes;
  };
  const found = new FoundRows(8 * bytes());
  for (let key = 1; key <= 8; key++) found.set(String(key), ALL, rowsAt(1));
  found.get("1", ALL);
  found.set("9", ALL, rowsAt(1));
  expect([1, 2, 3, 9].map((key) => found.get(String(key), ALL) !== undefined)).toEqual([true, false, true, true]);
  found.set("10", ALL, pickLogRows(rowsAt(1, 2, 3), Uint32Array.of(0, 1, 2)));
  expect(found.get("10", ALL)).toBeUndefined();
  found.shrink();
  expect(found.bytes).toBeLessThanOrEqual(4 * bytes());
});

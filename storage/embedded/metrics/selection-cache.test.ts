import { labelsFrom } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { SeriesKey } from "@sightline/model/metric-batch.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { selectSeries } from "./select-series.ts";
import { keyOfMatchers, SelectionCache } from "./selection-cache.ts";
import { SeriesTable } from "./series-table.ts";
import { TimeSlice } from "./time-slice.ts";

/** Names, operators and values that run into each other when they are put together carelessly. */
const matcher: fc.Arbitrary<Matcher> = fc.record({
  name: fc.constantFrom("a", "a=", "1 a", "b"),
  op: fc.constantFrom("=", "!=", "=~", "!~"),
  value: fc.constantFrom("", "1", "=1", "1 1", "1|2"),
});

/** An index that counts how often it was asked. */
class CountedTable extends SeriesTable {
  readonly key: string;
  readonly isFixed: boolean;
  asked = 0;
  constructor(key: string, isFixed: boolean) {
    super();
    this.key = key;
    this.isFixed = isFixed;
  }
  override postings(name: string, value: string): readonly number[] {
    this.asked++;
    return super.postings(name, value);
  }
  grow(from: number, to: number): void {
    const values = ["1", "=1", "1 1", "2"];
    for (let n = from; n < to; n++) {
      this.add(new SeriesKey(labelsFrom({ n: String(n), a: values[n % 4] ?? "", b: values[(n >> 2) % 4] ?? "" })));
    }
  }
}

const select = (cache: SelectionCache, table: CountedTable, matchers: readonly Matcher[]) =>
  cache.select(table, matchers, keyOfMatchers(matchers), new TimeSlice());

test("gives what selecting gives, whatever was asked before", () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.array(matcher, { maxLength: 3 }), { maxLength: 20 }), async (questions) => {
      const cache = new SelectionCache(10_000);
      const tables = [new CountedTable("one", true), new CountedTable("other", true)] as const;
      tables[0].grow(0, 16);
      tables[1].grow(8, 40);
      for (const matchers of [...questions, ...questions]) {
        for (const table of tables) {
          expect(await select(cache, table, matchers)).toEqual(await selectSeries(table, matchers, new TimeSlice()));
        }
      }
      expect(cache.bytes).toBeLessThanOrEqual(10_000);
    }),
  ));

const ONE: readonly Matcher[] = [{ name: "a", op: "=", value: "1" }];

test("a source that stays as it is is not asked twice", async () => {
  const cache = new SelectionCache(10_000);
  const table = new CountedTable("one", true);
  table.grow(0, 8);
  expect(await select(cache, table, ONE)).toEqual([0, 4]);
  const { asked } = table;
  expect(await select(cache, table, ONE)).toEqual([0, 4]);
  expect(table.asked).toBe(asked);
});

test("a source that grows is asked every time", async () => {
  const cache = new SelectionCache(10_000);
  const table = new CountedTable("one", false);
  table.grow(0, 8);
  expect(await select(cache, table, ONE)).toEqual([0, 4]);
  table.grow(8, 12);
  expect(await select(cache, table, ONE)).toEqual([0, 4, 8]);
  expect(cache.bytes).toBe(0);
});

test("matchers of any length are answered, long ones without being kept", async () => {
  const cache = new SelectionCache(10_000);
  const table = new CountedTable("one", true);
  table.grow(0, 8);
  const long: readonly Matcher[] = [{ name: "a", op: "=~", value: `1|${"x".repeat(2_000)}` }];
  expect(await select(cache, table, long)).toEqual([0, 4]);
  expect(cache.bytes).toBe(0);
});

test("labels are collected once of a source that stays as it is, and are those of one label and the same matchers", async () => {
  const cache = new SelectionCache(10_000);
  let collected = 0;
  const labels = (key: string, isFixed: boolean, matchers: readonly Matcher[], name: string | undefined) =>
    cache.labels({ key, isFixed }, keyOfMatchers(matchers), name, async () => [`${key} ${name}`, String(++collected)]);
  expect(await labels("one", true, ONE, "a")).toEqual(["one a", "1"]);
  expect(await labels("one", true, [], "1 a")).toEqual(["one 1 a", "2"]);
  expect(await labels("one", true, ONE, undefined)).toEqual(["one undefined", "3"]);
  expect(await labels("other", true, ONE, "a")).toEqual(["other a", "4"]);
  expect(await labels("one", true, ONE, "a")).toEqual(["one a", "1"]);
  expect(await labels("one", true, ONE, undefined)).toEqual(["one undefined", "3"]);
  expect(await labels("head", false, ONE, "a")).toEqual(["head a", "5"]);
  expect(await labels("head", false, ONE, "a")).toEqual(["head a", "6"]);
  const table = new CountedTable("one", true);
  table.grow(0, 8);
  expect(await select(cache, table, ONE)).toEqual([0, 4]);
});

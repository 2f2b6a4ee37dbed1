import { type Labels, labelsFrom, labelValue } from "@sightline/model/labels.ts";
import { compileMatcher, type Matcher } from "@sightline/model/matcher.ts";
import { SeriesKey } from "@sightline/model/metric-batch.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { selectSeries } from "./select-series.ts";
import { SeriesTable } from "./series-table.ts";
import { TimeSlice } from "./time-slice.ts";

/** Many series have the same `job`, few the same `pod`, so that lists of very different lengths meet. */
const series: readonly Labels[] = Array.from({ length: 2_000 }, (_, n) =>
  labelsFrom({ __name__: `metric_${n % 3}`, job: `job-${n % 2}`, pod: `pod-${n % 400}`, zone: n % 7 === 0 ? "a" : "" }),
);
/** Tells, as blocks do, which values some of its series have. */
class TellingTable extends SeriesTable {
  collectLabels(ids: readonly number[], name: string | undefined, into: Set<string>): void {
    for (const id of ids) {
      for (const [key, value] of series[id] as Labels) if (key === name) into.add(value);
    }
  }
}
const table = new SeriesTable();
const telling = new TellingTable();
for (const labels of series) {
  table.add(new SeriesKey(labels));
  telling.add(new SeriesKey(labels));
}

const matcher: fc.Arbitrary<Matcher> = fc.record({
  name: fc.constantFrom("__name__", "job", "pod", "zone", "nothing"),
  op: fc.constantFrom("=", "!=", "=~", "!~"),
  value: fc.constantFrom("", "metric_1", "job-1", "pod-7", "pod-399", "a", "pod-(7|8|21)", "pod-.*1", "metric_.", ".+"),
});

test("selects the series that every matcher accepts", () =>
  fc.assert(
    fc.asyncProperty(fc.array(matcher, { maxLength: 4 }), async (matchers) => {
      const accepts = matchers.map((one) => ({ name: one.name, test: compileMatcher(one) }));
      const want = series.flatMap((labels, id) =>
        accepts.every(({ name, test }) => test(labelValue(labels, name))) ? [id] : [],
      );
      expect(await selectSeries(table, matchers, new TimeSlice())).toEqual(want);
      expect(await selectSeries(telling, matchers, new TimeSlice())).toEqual(want);
    }),
  ));

/** An index that counts how often it is asked for all values of a label. */
function counting<T extends SeriesTable>(index: T): { readonly counted: T; readonly listed: () => number } {
  let listed = 0;
  const counted = new Proxy(index, {
    get: (target, name) => {
      if (name === "valuesOf") listed++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { counted, listed: () => listed };
}

test("ten thousand values that are excluded one by one are looked up, not looked for", async () => {
  const { counted, listed } = counting(table);
  const matchers = Array.from({ length: 10_000 }, (_, n): Matcher => {
    return n % 2 === 0 ? { name: "pod", op: "!=", value: `pod-${n}` } : { name: "pod", op: "!~", value: `pod-${n}|x` };
  });
  expect(await selectSeries(counted, matchers, new TimeSlice())).toEqual([]);
  expect(listed()).toBe(0);
});

test("a regular expression is tried on the values of the series that are left, not on those of all others", async () => {
  const { counted, listed } = counting(telling);
  const matchers: Matcher[] = [
    { name: "__name__", op: "=", value: "metric_1" },
    { name: "pod", op: "=~", value: "pod-.*[17]" },
    { name: "pod", op: "!~", value: "pod-2.+" },
  ];
  const want = await selectSeries(table, matchers, new TimeSlice());
  expect(await selectSeries(counted, matchers, new TimeSlice())).toEqual(want);
  expect(want.length).toBeGreaterThan(0);
  expect(listed()).toBe(0);
});

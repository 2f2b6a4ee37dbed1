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
const table = new SeriesTable();
for (const labels of series) table.add(new SeriesKey(labels));

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
    }),
  ));

test("ten thousand values that are excluded one by one are looked up, not looked for", async () => {
  let listed = 0;
  const counted = new Proxy(table, {
    get: (target, name) => {
      if (name === "valuesOf") listed++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const matchers = Array.from({ length: 10_000 }, (_, n): Matcher => {
    return n % 2 === 0 ? { name: "pod", op: "!=", value: `pod-${n}` } : { name: "pod", op: "!~", value: `pod-${n}|x` };
  });
  expect(await selectSeries(counted, matchers, new TimeSlice())).toEqual([]);
  expect(listed).toBe(0);
});

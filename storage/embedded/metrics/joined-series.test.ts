import { compareLabels, labelsKey, labelValue } from "@sightline/model/labels.ts";
import { Rejections } from "@sightline/model/rejections.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Head } from "./head.ts";
import { JoinedSeries } from "./joined-series.ts";
import { SeriesLink } from "./series-link.ts";
import type { SeriesSource } from "./series-source.ts";
import { TimeSlice } from "./time-slice.ts";

const SOURCES = 3;
const round = fc.record({
  /** Series that come to the sources. */
  added: fc.array(fc.tuple(fc.nat({ max: SOURCES - 1 }), fc.nat({ max: 40 })), { maxLength: 40 }),
  /** Series up to this one are selected. */
  upTo: fc.nat({ max: 40 }),
  sorted: fc.boolean(),
});

test("joins equal series, with what earlier joins found out, while sources grow", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { maxLength: 6 }), async (rounds) => {
      const heads = Array.from({ length: SOURCES }, () => new Head());
      const links = new Map<string, SeriesLink>();
      const linkOf = (from: SeriesSource, to: SeriesSource) => {
        const link = links.get(from.key + to.key) ?? new SeriesLink(from.seriesCount);
        link.ensure(from.seriesCount);
        links.set(from.key + to.key, link);
        return link;
      };
      for (const { added, upTo, sorted } of rounds) {
        for (const [source, number] of added) append(heads[source] as Head, number);
        const selections = heads.map((source) => ({ source, ids: idsUpTo(source, upTo) }));
        const joined = await JoinedSeries.from(selections, new TimeSlice(), { sorted, linkOf });
        expectJoined(joined, selections);
        const rows = await joined.rowsInLabelOrder(new TimeSlice());
        const inOrder = rows.map((row) => joined.labelsOf(row));
        expect(inOrder).toEqual([...inOrder].sort(compareLabels));
      }
    }),
  );
});

function append(head: Head, number: number): void {
  const row = { labels: { __name__: "a", n: String(number) }, samples: [[1, 1]] as const };
  head.append(metricBatchOf([row]), { minTimeMs: 0, maxTimeMs: 1e13, maxSeries: 100 }, new Rejections());
}

function idsUpTo(source: SeriesSource, number: number): number[] {
  const ids = Array.from({ length: source.seriesCount }, (_, id) => id);
  return ids.filter((id) => Number(labelValue(source.labelsOf(id), "n")) <= number);
}

/** Every series that was selected somewhere is one row, which has its numbers everywhere. */
function expectJoined(joined: JoinedSeries, selections: { source: SeriesSource; ids: number[] }[]): void {
  const numbers = (source: SeriesSource, ids: readonly number[]) =>
    ids.map((id) => [labelsKey(source.labelsOf(id)), id] as const);
  joined.sources.forEach((source, s) => {
    const rows = joined.rows().filter((row) => joined.idIn(s, row) >= 0);
    const got = rows.map((row) => [labelsKey(joined.labelsOf(row)), joined.idIn(s, row)] as const);
    const want = numbers(source, selections.find((selection) => selection.source === source)?.ids ?? []);
    expect(new Map(got)).toEqual(new Map(want));
  });
  const keys = joined.rows().map((row) => labelsKey(joined.labelsOf(row)));
  expect(new Set(keys).size).toBe(keys.length);
  const all = selections.flatMap(({ source, ids }) => numbers(source, ids).map(([key]) => key));
  expect(new Set(keys)).toEqual(new Set(all));
}

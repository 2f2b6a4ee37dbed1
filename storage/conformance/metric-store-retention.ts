import type { MetricStore } from "@sightline/model/metric-store.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { afterEach, describe, expect, test } from "vitest";
import { sampleHistogram } from "./example-histogram.ts";
import { metricBatchOf } from "./metric-batch-of.ts";
import { EVERYTHING, NO_SIGNAL, requestOf, selectAll } from "./metric-rows.ts";

export type RetentionSettings = {
  readonly retention: string;
  readonly retention_rules?: readonly { readonly selector: string; readonly keep: string }[];
};
export type RetentionFixture = {
  readonly store: MetricStore;
  /** The clock was set forward. */
  readonly tick: () => Promise<void>;
  /** Frees what is not kept any more. */
  readonly maintain: () => Promise<void>;
  readonly dispose: () => Promise<void>;
};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Of stores that keep some series longer than others, by rules with selectors. */
export function describeMetricRetention(
  name: string,
  make: (settings: RetentionSettings, nowMs: () => number) => Promise<RetentionFixture>,
): void {
  describe.each([
    ["in memory", false],
    ["flushed", true],
  ] as const)(`${name}: retention of samples %s`, (_, flushed) => {
    /** Noon: all that is written in the hours before it is of one day. */
    const noon = Math.floor(Date.now() / DAY) * DAY + DAY / 2;
    let fixture: RetentionFixture;
    let nowMs: number;
    let position: number;
    afterEach(() => fixture.dispose());

    /** A sample at each of these hours before noon. */
    const write = async (series: string, hours: readonly number[]) => {
      const samples = hours.map((hour) => [noon - hour * HOUR, hour] as const);
      const batch = metricBatchOf([{ labels: { __name__: series }, samples }]);
      const { rejected } = await fixture.store.append(DEFAULT_TENANT, batch, ++position);
      return rejected;
    };
    const given = async (settings: RetentionSettings) => {
      nowMs = noon;
      position = 0;
      fixture = await make(settings, () => nowMs);
      await write("long", [10, 5, 1]);
      await write("short", [10, 5, 1]);
      if (flushed) await fixture.store.flush();
    };
    const pass = async (hours: number) => {
      nowMs += hours * HOUR;
      await fixture.tick();
    };
    const found = async () => {
      const slices = [...(await selectAll(fixture.store)).values()];
      return Object.fromEntries(slices.map(({ labels, values }) => [labels[0]?.[1], Array.from(values)]));
    };

    test("what is older than the retention is not found, whatever is still stored", async () => {
      await given({ retention: "12h" });
      expect(await found()).toEqual({ long: [10, 5, 1], short: [10, 5, 1] });
      await pass(4);
      expect(await found()).toEqual({ long: [5, 1], short: [5, 1] });
      await pass(10);
      expect(await found()).toEqual({});
      await pass(24);
      await fixture.maintain();
      expect(await fixture.store.series(requestOf({}), NO_SIGNAL)).toEqual([]);
    });

    test("series with a rule are kept as long as the first one says, longer or shorter", async () => {
      const retention_rules = [
        { selector: "short", keep: "6h" },
        { selector: '{__name__=~"long|short"}', keep: "30d" },
      ];
      await given({ retention: "1d", retention_rules });
      expect(await found()).toEqual({ long: [10, 5, 1], short: [5, 1] });
      expect(await write("short", [9, 0])).toEqual([]);
      expect(await found()).toEqual({ long: [10, 5, 1], short: [5, 1, 0] });
      await pass(20 * 24);
      expect(await found()).toEqual({ long: [10, 5, 1] });
    });

    test("what goes is among the changes", async ({ skip }) => {
      await given({ retention: "15d", retention_rules: [{ selector: "short", keep: "12h" }] });
      const changes = fixture.store.changes ?? skip();
      const version = await changes.version(DEFAULT_TENANT);
      await pass(4);
      const changed = (await changes.since(DEFAULT_TENANT, version, { startMs: noon - 20 * HOUR, endMs: noon })).ranges;
      const covers = (hour: number) =>
        changed.some(({ startMs, endMs }) => startMs <= noon - hour * HOUR && endMs >= noon - hour * HOUR);
      expect([10, 5, 1].map(covers)).toEqual([true, false, false]);
    });

    test("series of which nothing is kept are in no list when that was freed, others have all they had", async () => {
      await given({ retention: "10d", retention_rules: [{ selector: '{__name__=~"short|h"}', keep: "1d" }] });
      const histograms = [[noon - HOUR, sampleHistogram(1)] as const];
      await fixture.store.append(
        DEFAULT_TENANT,
        metricBatchOf([{ labels: { __name__: "h" }, samples: histograms }]),
        9,
      );
      if (flushed) await fixture.store.flush();
      const listed = async () => {
        const all = { ...requestOf({}), range: EVERYTHING };
        return fixture.store.labelValues("__name__", all, NO_SIGNAL);
      };
      expect(await listed()).toEqual(["h", "long", "short"]);
      await pass(2 * 24);
      await fixture.store.flush();
      await fixture.maintain();
      expect(await listed()).toEqual(["long"]);
      expect(await found()).toEqual({ long: [10, 5, 1] });
      position = 10;
      await write("short", [-47]);
      expect(await found()).toEqual({ long: [10, 5, 1], short: [-47] });
      expect(await listed()).toEqual(["long", "short"]);
    });
  });
}

import { labelsFrom, labelsKey } from "@sightline/model/labels.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import { describe, expect, test } from "vitest";
import { metricBatchOf } from "./metric-batch-of.ts";
import { NO_SIGNAL as on, requestOf, selectAll } from "./metric-rows.ts";
import { type Given, OTHER_TENANT, T } from "./metric-store-fixture.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export function describeLabels(given: Given): void {
  const rows = [
    { __name__: "a", job: "x" },
    { __name__: "a", job: "y", zone: "1" },
    { __name__: "b", job: "y", zone: "2" },
    { __name__: "b", "dotted.näme": 'q"\n' },
  ];
  const fill = async ({ store }: ReturnType<Given>, flushed: boolean) => {
    const written = rows.map((labels, i) => ({ labels, samples: [[T + i, i]] as const }));
    await store.append(DEFAULT_TENANT, metricBatchOf(written), 1);
    if (flushed) await store.flush();
  };
  const cases: [matchers: Matcher[], want: number[]][] = [
    [[], [0, 1, 2, 3]],
    [[{ name: "__name__", op: "=", value: "a" }], [0, 1]],
    [[{ name: "__name__", op: "!=", value: "a" }], [2, 3]],
    [[{ name: "job", op: "=", value: "" }], [3]],
    [[{ name: "zone", op: "!=", value: "" }], [1, 2]],
    [[{ name: "zone", op: "!=", value: "1" }], [0, 2, 3]],
    [[{ name: "job", op: "=~", value: "x|y" }], [0, 1, 2]],
    [[{ name: "job", op: "=~", value: "x|" }], [0, 3]],
    [[{ name: "zone", op: "=~", value: ".*" }], [0, 1, 2, 3]],
    [[{ name: "zone", op: "=~", value: ".+" }], [1, 2]],
    [[{ name: "zone", op: "=~", value: "1?" }], [0, 1, 3]],
    [[{ name: "zone", op: "!~", value: "[12]" }], [0, 3]],
    [[{ name: "zone", op: "!~", value: "" }], [1, 2]],
    [[{ name: "absent", op: "!~", value: "x.*" }], [0, 1, 2, 3]],
    [[{ name: "dotted.näme", op: "=", value: 'q"\n' }], [3]],
    [
      [
        { name: "__name__", op: "=", value: "b" },
        { name: "zone", op: "!=", value: "2" },
      ],
      [3],
    ],
    [
      [
        { name: "__name__", op: "=", value: "a" },
        { name: "__name__", op: "=", value: "b" },
      ],
      [],
    ],
  ];

  describe.each([
    ["unflushed", false],
    ["flushed", true],
  ] as const)("with %s data", (_, flushed) => {
    test("applies every kind of matcher; a missing label has the empty value", async () => {
      await fill(given(), flushed);
      for (const [matchers, want] of cases) {
        const found = await selectAll(given().store, { matchers });
        const keys = want.map((i) => labelsKey(labelsFrom(rows[i] as Record<string, string>)));
        expect([...found.keys()].sort(), JSON.stringify(matchers)).toEqual(keys.sort());
        const series = await given().store.series(requestOf({ matchers }), on);
        expect(series.map(labelsKey).sort(), JSON.stringify(matchers)).toEqual(keys.sort());
      }
    });

    test("lists names and values, sorted, of the matching series only", async () => {
      await fill(given(), flushed);
      const { store } = given();
      const matchers: Matcher[] = [{ name: "job", op: "=~", value: "y" }];
      expect(await store.labelNames(requestOf({}), on)).toEqual(["__name__", "dotted.näme", "job", "zone"]);
      expect(await store.labelNames(requestOf({ matchers }), on)).toEqual(["__name__", "job", "zone"]);
      expect(await store.labelValues("__name__", requestOf({ matchers }), on)).toEqual(["a", "b"]);
      expect(await store.labelValues("zone", requestOf({}), on)).toEqual(["1", "2"]);
      expect(await store.labelValues("absent", requestOf({}), on)).toEqual([]);
      expect(await store.labelNames({ ...requestOf({}), limit: 2 }, on)).toEqual(["__name__", "dotted.näme"]);
      expect(await store.labelValues("zone", { ...requestOf({}), limit: 1 }, on)).toEqual(["1"]);
      expect(await store.series({ ...requestOf({}), limit: 3 }, on)).toHaveLength(3);
    });

    test("lists labels whatever is in them, and however long", async () => {
      const { store } = given();
      const values = ["\u0000", "a\u0000b", "[", '["', "\\", "é".repeat(5_000)].sort();
      const written = values.map((value, i) => ({ labels: { "n\u0000": value }, samples: [[T + i, i]] as const }));
      await store.append(DEFAULT_TENANT, metricBatchOf(written), 1);
      if (flushed) await store.flush();
      expect(await store.labelNames(requestOf({}), on)).toEqual(["n\u0000"]);
      expect(await store.labelValues("n\u0000", requestOf({}), on)).toEqual(values);
    });
  });

  test("lists what series of the tenant have in the range, with matchers or without", async () => {
    const { store } = given();
    const write = (tenant: TenantId, position: number, timeMs: number, labels: Record<string, string>) =>
      store.append(tenant, metricBatchOf([{ labels, samples: [[timeMs, 1]] }]), position);
    await write(DEFAULT_TENANT, 1, T - 3 * DAY, { a: "then", old: "1" });
    await write(DEFAULT_TENANT, 2, T, { a: "now", new: "1" });
    await write(OTHER_TENANT, 3, T, { a: "theirs", other: "1" });
    await store.flush();
    const listed = async (startMs: number, matchers: Matcher[]) => {
      const request = requestOf({ range: { startMs, endMs: startMs + HOUR }, matchers });
      return [await store.labelNames(request, on), await store.labelValues("a", request, on)];
    };
    for (const matchers of [[], [{ name: "a", op: "=~", value: ".+" } as const]]) {
      expect(await listed(T - 3 * DAY, matchers)).toEqual([["a", "old"], ["then"]]);
      expect(await listed(T, matchers)).toEqual([["a", "new"], ["now"]]);
      expect(await listed(T - 10 * DAY, matchers)).toEqual([[], []]);
    }
  });

  test("refuses a regular expression that is none", async () => {
    await fill(given(), false);
    const matchers: Matcher[] = [{ name: "job", op: "=~", value: "(" }];
    await expect(selectAll(given().store, { matchers })).rejects.toThrow("invalid regular expression");
  });
}

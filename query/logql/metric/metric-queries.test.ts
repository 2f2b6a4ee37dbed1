import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { workedMs } from "@sightline/model/testing/worked-ms.ts";
import { describe, expect, test } from "vitest";
import { engineOver, instantSamples, LIMITS, rangeSeries, rowOf } from "../logql-test-store.ts";

/** Every 10 s from 10 s to 60 s, in two streams: `a` counts up to 6, `b` says how many seconds it is. */
const ROWS = [
  ...[1, 2, 3, 4, 5, 6].map((i) =>
    rowOf(`n=${i} d=${i}s s=${i}KB m=${i % 2 === 0 ? "GET" : "PUT"}`, i * 10, { app: "a", zone: "eu" }),
  ),
  ...[1, 2, 3, 4, 5, 6].map((i) => rowOf(`n=${i * 10}`, i * 10, { app: "b", zone: "us" })),
];
const A = '{app="a"}';
const BOTH = '{app=~"a|b"}';
const unwrapped = (op: string, range = "30s") => `${op}(${A} | logfmt | keep n | unwrap n [${range}])`;

describe("range aggregations at a moment look at what is after its range's start, up to it", () => {
  test.each<[string, string[]]>([
    [`count_over_time(${A} | keep app [30s])`, ['{app="a"} 3']],
    [`count_over_time(${A} | keep app [30s] offset 20s)`, ['{app="a"} 3']],
    [`rate(${A} | keep app [20s])`, ['{app="a"} 0.1']],
    [`bytes_over_time({app="b"} | keep app [20s])`, ['{app="b"} 8']],
    [`bytes_rate({app="b"} | keep app [20s])`, ['{app="b"} 0.4']],
    [`absent_over_time({app="c", zone=~"x"}[1m])`, ['{app="c"} 1']],
    [`absent_over_time(${A}[1m])`, []],
    [unwrapped("sum_over_time"), ["{} 15"]],
    [unwrapped("avg_over_time"), ["{} 5"]],
    [unwrapped("min_over_time"), ["{} 4"]],
    [unwrapped("max_over_time"), ["{} 6"]],
    [unwrapped("first_over_time"), ["{} 4"]],
    [unwrapped("last_over_time"), ["{} 6"]],
    [unwrapped("stdvar_over_time"), [`{} ${2 / 3}`]],
    [unwrapped("rate"), ["{} 0.5"]],
    [unwrapped("rate_counter", "1m"), ["{} 0.1"]],
    [`quantile_over_time(0.5, ${A} | logfmt | keep n | unwrap n [1m])`, ["{} 3.5"]],
    [`max_over_time(${A} | logfmt | unwrap duration(d) [1m]) by (m)`, ['{m="GET"} 6', '{m="PUT"} 5']],
    [`sum(sum_over_time(${A} | logfmt | unwrap bytes(s) [1m]))`, ["{} 21000"]],
    [`avg_over_time(${A} | logfmt | unwrap nothing [1m])`, []],
  ])("%s", async (query, want) => expect(await instantSamples(await engineOver(ROWS), query, 60)).toEqual(want));
});

describe("an empty label is a missing one to whoever groups or matches series", () => {
  const ROWS_WITH_EMPTY = [
    rowOf("k= n=1", 10, { app: "a" }),
    rowOf("n=2", 20, { app: "a" }),
    rowOf("n=3", 30, { app: "a" }),
    rowOf("k=v n=4", 40, { app: "a" }),
  ];
  const counts = `count_over_time(${A} | logfmt --keep-empty | keep k [1m])`;
  test.each<[string, string[]]>([
    [counts, ["{} 2", '{k="v"} 1', '{k=""} 1']],
    [`avg by (k) (${counts})`, ["{} 1.5", '{k="v"} 1']],
    [`max without () (${counts})`, ["{} 2", '{k="v"} 1']],
    [`sum without (app) (${counts})`, ["{} 3", '{k="v"} 1']],
    [`sum by (k) (${counts})`, ["{} 2", '{k="v"} 1', '{k=""} 1']],
    [`${counts} unless on (k) vector(1)`, ['{k="v"} 1']],
  ])("%s", async (query, want) => {
    const found = await instantSamples(await engineOver(ROWS_WITH_EMPTY), query, 60);
    expect(found.toSorted()).toEqual(want.toSorted());
  });
});

test("a key that structured metadata have, too, ends the reading of a line by expressions, as in Loki", async () => {
  const broken = rowOf('m=GET n=5 q="never closed', 10, { app: "a" });
  const attributes = [{ name: "m", type: "string" as const, value: "MD" }];
  const query = `max_over_time(${A} | logfmt --strict m="nope" | logfmt | unwrap n | __error__="" [1m]) by (app)`;
  const found = (rows: Parameters<typeof engineOver>[0]) =>
    engineOver(rows).then((it) => instantSamples(it, query, 60));
  expect(await found([broken])).toEqual([]);
  expect(await found([{ ...broken, attributes }])).toEqual(['{app="a"} 5']);
});

describe("over time each step is computed by itself", () => {
  const engine = engineOver(ROWS);
  test.each<[string, readonly [number, number, number], string[]]>([
    [`count_over_time(${A} | keep app [20s])`, [10, 60, 10], ['{app="a"} 1 2 2 2 2 2']],
    [`count_over_time(${A} | keep app [5s])`, [10, 60, 25], ['{app="a"} _ _ _']],
    [`count_over_time(${A} | keep app [10s])`, [40, 120, 40], ['{app="a"} 1 _ _']],
    [unwrapped("sum_over_time", "20s"), [10, 60, 10], ["{} 1 3 5 7 9 11"]],
    [unwrapped("last_over_time", "10s"), [0, 80, 20], ["{} _ 2 4 6 _"]],
    [`sum by (app) (rate(${BOTH}[10s]))`, [20, 40, 20], ['{app="a"} 0.1 0.1', '{app="b"} 0.1 0.1']],
    ["vector(2)", [0, 20, 10], ["{} 2 2 2"]],
    ["1 + 1", [0, 20, 10], ["{} 2 2 2"]],
    [`absent_over_time(${A}[10s])`, [0, 80, 20], ['{app="a"} 1 _ _ _ 1']],
  ])("%s from %j", async (query, range, want) => expect(await rangeSeries(await engine, query, range)).toEqual(want));

  test("steps are multiples of the step, around the range", async () => {
    const { value } = await (await engine).range("vector(1)", {
      tenant: DEFAULT_TENANT,
      startNs: 14_000_000_000n,
      endNs: 31_000_000_000n,
      stepNs: 10_000_000_000n,
      intervalNs: 0n,
      limit: 1,
      newestFirst: true,
      signal: new AbortController().signal,
    });
    expect(value.type === "matrix" && [...(value.series[0]?.timesMs ?? [])]).toEqual([10_000, 20_000, 30_000, 40_000]);
  });
});

const PER_M = `sum by (m) (count_over_time(${A} | logfmt [1m]))`;
const PER_NM = `sum by (m, n) (sum_over_time(${A} | logfmt | unwrap n [1m]))`;
describe("vector aggregations and operators", () => {
  test.each<[string, string[]]>([
    [`sum(${PER_NM})`, ["{} 21"]],
    [`avg by (m) (${PER_NM})`, ['{m="GET"} 4', '{m="PUT"} 3']],
    [`count without (n) (${PER_NM})`, ['{m="GET"} 3', '{m="PUT"} 3']],
    [`stddev(vector(5))`, ["{} 0"]],
    [`topk(1, ${PER_NM}) by (m)`, ['{m="GET", n="6"} 6', '{m="PUT", n="5"} 5']],
    [`sort_desc(sum by (app) (sum_over_time(${BOTH} | logfmt | unwrap n [1m])))`, ['{app="b"} 210', '{app="a"} 21']],
    [`sort(sum by (app) (sum_over_time(${BOTH} | logfmt | unwrap n [1m])))`, ['{app="a"} 21', '{app="b"} 210']],
    [`label_replace(${PER_M}, "x", "<$1>", "m", "(.).*")`, ['{m="GET", x="<G>"} 3', '{m="PUT", x="<P>"} 3']],
    [`${PER_M} + 1`, ['{m="GET"} 4', '{m="PUT"} 4']],
    [`10 - ${PER_M}`, ['{m="GET"} 7', '{m="PUT"} 7']],
    [`2 < ${PER_M}`, ['{m="GET"} 3', '{m="PUT"} 3']],
    [`${PER_M} > bool 3`, ['{m="GET"} 0', '{m="PUT"} 0']],
    [`${PER_M} / ${PER_M}`, ['{m="GET"} 1', '{m="PUT"} 1']],
    [`${PER_M} / 0`, ['{m="GET"} NaN', '{m="PUT"} NaN']],
    [`${PER_M} and on () vector(1)`, ['{m="GET"} 3', '{m="PUT"} 3']],
    [`${PER_M} unless ${PER_M}`, []],
    [`(${PER_M} > 5) or vector(0)`, ["{} 0"]],
    ["1 / 0", ["NaN"]],
    ["2 ^ 3 ^ 2", ["512"]],
  ])("%s", async (query, want) => expect(await instantSamples(await engineOver(ROWS), query, 60)).toEqual(want));

  test.each([
    [`${PER_NM} / on (m) ${PER_M}`, "many-to-one matching must be explicit"],
    [`${PER_M} / on (m) ${PER_NM}`, "found duplicate series on the right hand-side"],
    [`${PER_M} / on (m) group_left ${PER_NM}`, "found duplicate series on the right hand-side"],
  ])("%s is refused", async (query, problem) => {
    await expect(instantSamples(await engineOver(ROWS), query, 60)).rejects.toThrow(problem);
  });
});

describe("lines with errors", () => {
  const rows = [rowOf('{"x":"1"}', 10), rowOf("broken", 20), rowOf('{"x":"2", broken', 30)];
  test("fail a query that looks at them", async () => {
    const query = 'count_over_time({app="a"} | json [1m])';
    await expect(instantSamples(await engineOver(rows), query, 60)).rejects.toThrow(
      /^pipeline error: 'JSONParserErr' for series: '\{__error__="JSONParserErr"/,
    );
  });
  test.each<[string, string[]]>([
    ['sum(count_over_time({app="a"} | json [1m]))', ["{} 3"]],
    ['sum(count_over_time({app="a"} | json | __error__="" [1m]))', ["{} 1"]],
    ['sum by (__error__) (count_over_time({app="a"} | json [1m]))', ["{} 1", '{__error__="JSONParserErr"} 2']],
    ['sum by (x) (count_over_time({app="a"} | json | x="1" [15s] offset 45s))', ['{x="1"} 1']],
  ])("but %s counts them", async (query, want) =>
    expect(await instantSamples(await engineOver(rows), query, 60)).toEqual(want),
  );
});

describe("limits name their settings", () => {
  const many = Array.from({ length: 600 }, (_, i) => rowOf(`id=${i}`, (i + 1) / 10));
  test.each([
    ['count_over_time({app="a"} | logfmt [1m])', {}, "query.logs.max_series"],
    ['sum_over_time({app="a"} | logfmt | unwrap id [1m])', { max_samples: 1_000 }, "query.logs.max_samples"],
    ['sum by (id) (count_over_time({app="a"} | logfmt [1m]))', { max_samples: 1_000 }, "query.logs.max_samples"],
    ['sum(count_over_time({app="a"} |~ "id" [1m]))', { max_scanned_rows: 100 }, "query.logs.max_scanned_rows"],
  ])("%s", async (query, limits, setting) => {
    const engine = await engineOver(many, false, { ...LIMITS, ...limits });
    await expect(instantSamples(engine, query, 60)).rejects.toThrow(setting);
  });

  test("but what is aggregated may come from more series", async () => {
    expect(
      await instantSamples(await engineOver(many), 'count(sum by (id) (count_over_time({app="a"} | logfmt [1m])))', 60),
    ).toEqual(["{} 600"]);
  });
});

describe("hostile lines", () => {
  const MEGABYTE = 1 << 20;
  test.each([
    ["a line of 10 MB", "x".repeat(10 * MEGABYTE), "|= `y`", 5_000],
    ["JSON of 10 MB", `{"a":"${"x".repeat(10 * MEGABYTE)}"}`, "| json", 10_000],
    ["a deep object", `${'{"a":'.repeat(500_000)}1${"}".repeat(500_000)}`, "| json", 10_000],
    ["many members", `{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":${i}`).join(",")}}`, "| json", 10_000],
    ["logfmt of 5 MB", "key=value ".repeat(500_000), "| logfmt", 15_000],
    ["backslashes", `{"a":"${"\\\\".repeat(MEGABYTE)}"}`, "| json", 10_000],
    ["escapes of terminals", "\u001b[31m".repeat(50_000), "| decolorize", 15_000],
    ["addresses", "1.2.3.4.".repeat(100_000), '|= ip("9.9.9.9")', 10_000],
    ["a pattern", "a ".repeat(MEGABYTE), "| pattern `<a> b <c> d <e>`", 5_000],
  ])("%s is read in a bounded time", async (_, line, stages, maxMs) => {
    const engine = await engineOver([rowOf(line, 1)]);
    const startMs = workedMs();
    await instantSamples(engine, `sum by (q) (count_over_time({app="a"} ${stages} [1m]))`, 60);
    expect(workedMs() - startMs).toBeLessThan(maxMs);
  });
});

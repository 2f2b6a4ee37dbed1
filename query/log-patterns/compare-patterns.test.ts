import { expect, test } from "vitest";
import { comparePatterns } from "./compare-patterns.ts";

const of = (counts: Record<string, number>) =>
  Object.entries(counts).map(([pattern, count]) => ({
    pattern,
    level: "info",
    timesMs: Float64Array.of(0),
    counts: Float64Array.of(count),
  }));

test.each<[what: string, now: Record<string, number>, before: Record<string, number>, want: readonly string[]]>([
  ["appeared", { a: 100, b: 5 }, { a: 100 }, ["new b null", "same a 0.95"]],
  ["disappeared", { a: 100 }, { a: 100, b: 5 }, ["gone b 0", "same a 1.05"]],
  ["came more often", { a: 900, b: 100 }, { a: 990, b: 10 }, ["more b 10", "same a 0.91"]],
  ["came less often", { a: 990, b: 10 }, { a: 900, b: 100 }, ["less b 0.1", "same a 1.1"]],
  ["may be chance", { a: 97, b: 3 }, { a: 99, b: 1 }, ["same a 0.98", "same b 3"]],
  ["in periods of other lengths", { a: 10, b: 10 }, { a: 1000, b: 1000 }, ["same a 1", "same b 1"]],
  ["when nothing came", {}, { a: 10 }, ["gone a 0"]],
  ["when nothing came before", { a: 10 }, {}, ["new a null"]],
])("what %s", (_, now, before, want) => {
  const found = comparePatterns(of(now), of(before), 2).map(
    ({ change, pattern, ratio }) => `${change} ${pattern} ${ratio === null ? ratio : Number(ratio.toFixed(2))}`,
  );
  expect(found).toEqual(want);
});

import { expect, test } from "vitest";
import { parsePromql } from "../parse/parse-promql.ts";
import { prettyExpr } from "./pretty-expr.ts";

const LONG = 'a_metric_whose_name_is_not_short{first_label="first value",second_label=~"second.*value"}';
const SHORTER = 'another_metric{first_label="first value"}';

// Every layout was compared with the one a Prometheus 3.14 gives.
test.each([
  ["sum(rate(foo[5m]))by(job)", "sum by (job) (rate(foo[5m]))"],
  [`sum by (job) (rate(${LONG}[5m]))`, `sum by (job) (\n  rate(${LONG}[5m])\n)`],
  [`topk(5, rate(${LONG}[5m]))`, `topk(\n  5,\n  rate(${LONG}[5m])\n)`],
  [`${LONG} / on (a) group_left (b) ${SHORTER}`, `  ${LONG}\n/ on (a) group_left (b)\n  ${SHORTER}`],
  [`(${LONG} + 1 - ${SHORTER})`, `(\n    ${LONG} + 1\n  -\n    ${SHORTER}\n)`],
  [`-sum(rate(${LONG}[5m]))`, `-sum(\n  rate(${LONG}[5m])\n)`],
  [`max_over_time(rate(${LONG}[5m])[1h:1m] offset 5m)`, `max_over_time(\n  rate(${LONG}[5m])[1h:1m] offset 5m\n)`],
  [
    `label_replace(${LONG}, "a", "$1", "b", "(.*)")`,
    `label_replace(\n  ${LONG},\n  "a",\n  "$1",\n  "b",\n  "(.*)"\n)`,
  ],
])("lays out %s", (text, want) => expect(prettyExpr(parsePromql(text))).toBe(want));

test("a line is measured in bytes, not in characters", () => {
  const of = (letter: string) => prettyExpr(parsePromql(`sum(x{a="${letter.repeat(60)}"})`));
  expect(of("a")).not.toContain("\n");
  expect(of("ä")).toContain("\n");
});

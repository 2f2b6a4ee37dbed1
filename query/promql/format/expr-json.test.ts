import { expect, test } from "vitest";
import { parsePromql } from "../parse/parse-promql.ts";
import { exprJson } from "./expr-json.ts";

const selector = {
  type: "vectorSelector",
  name: "foo",
  matchers: [{ name: "__name__", type: "=", value: "foo" }],
  offset: 0,
  offsetExpr: null,
  timestamp: null,
  startOrEnd: null,
  anchored: false,
  smoothed: false,
};

// As a Prometheus 3.14 answers /api/v1/parse_query.
test.each<[string, unknown]>([
  ["foo", selector],
  ["foo @ end() offset -5m", { ...selector, offset: -300_000, startOrEnd: "end" }],
  [
    "rate(foo[5m] anchored) + 1e-7",
    {
      type: "binaryExpr",
      op: "+",
      lhs: {
        type: "call",
        func: { name: "rate", argTypes: ["matrix"], variadic: 0, returnType: "vector" },
        args: [{ ...selector, type: "matrixSelector", anchored: true, range: 300_000, rangeExpr: null }],
      },
      rhs: { type: "numberLiteral", val: "0.0000001" },
      matching: null,
      bool: false,
    },
  ],
  [
    "sum without (a) (foo == bool on (b) group_left foo)",
    {
      type: "aggregation",
      op: "sum",
      expr: {
        type: "binaryExpr",
        op: "==",
        lhs: selector,
        rhs: selector,
        matching: { card: "many-to-one", labels: ["b"], on: true, include: [], fillValues: { lhs: null, rhs: null } },
        bool: true,
      },
      param: null,
      grouping: ["a"],
      without: true,
    },
  ],
  [
    "(-foo)[1h:step() * 2] @ 1.5",
    {
      type: "subquery",
      expr: { type: "parenExpr", expr: { type: "unaryExpr", op: "-", expr: selector } },
      range: 3_600_000,
      rangeExpr: null,
      step: 0,
      stepExpr: {
        type: "durationExpr",
        op: "*",
        lhs: { type: "durationExpr", op: "step", lhs: null, rhs: null, wrapped: false },
        rhs: { type: "numberLiteral", val: "2", duration: false },
        wrapped: false,
      },
      offset: 0,
      offsetExpr: null,
      timestamp: 1_500,
      startOrEnd: null,
    },
  ],
  ['"\\xff"', { type: "stringLiteral", val: "\ufffd" }],
])("%s", (text, want) => expect(exprJson(parsePromql(text))).toEqual(want));

import { InvalidInputError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { formatQueryAnswer, type QueryData } from "./format-query-answer.ts";
import { requestOf } from "./query-command.ts";

const NOW_MS = 1_700_000_000_500;

test.each([
  [{}, "api/v1/query", { time: "1700000000.5" }],
  [{ time: "2023-11-14T22:13:20Z" }, "api/v1/query", { time: "1700000000" }],
  [{ start: "1h" }, "api/v1/query_range", { start: "1699996400.5", end: "1700000000.5", step: "14" }],
  [{ start: "100", end: "200", step: "1m" }, "api/v1/query_range", { start: "100", end: "200", step: "1m" }],
  [{ start: "100", end: "110" }, "api/v1/query_range", { start: "100", end: "110", step: "1" }],
])("the flags %j ask %s", (options, path, parameters) => {
  expect(requestOf("up", options, NOW_MS)).toEqual({ path, parameters: { query: "up", ...parameters } });
});

test.each([{ step: "1m" }, { end: "now" }, { start: "1h", time: "now" }, { start: "yesterday" }])(
  "the flags %j make no sense",
  (options) => expect(() => requestOf("up", options, NOW_MS)).toThrow(InvalidInputError),
);

// As promtool prints them.
test.each<[QueryData, string]>([
  [{ resultType: "scalar", result: [4, "2"] }, "scalar: 2 @[4]\n"],
  [{ resultType: "string", result: [4, "a"] }, "a\n"],
  [{ resultType: "vector", result: [] }, ""],
  [
    {
      resultType: "vector",
      result: [
        { metric: { __name__: "up", job: "b", a: 'x"' }, value: [1.5, "1"] },
        { metric: {}, value: [1.5, "NaN"] },
        { metric: { __name__: "up" }, value: [1.5, "1"] },
        { metric: { __name__: "http.server", "a.b": "c" }, value: [1.5, "1"] },
      ],
    },
    'up{a="x\\"", job="b"} => 1 @[1.5]\n{} => NaN @[1.5]\nup => 1 @[1.5]\n{"http.server", "a.b"="c"} => 1 @[1.5]\n',
  ],
  [
    {
      resultType: "vector",
      result: [{ metric: {}, histogram: [1, { count: "3", sum: "2", buckets: [[3, "-1", "1", "3"]] }] }],
    },
    "{} => Count: 3.000000, Sum: 2.000000, Buckets: [[-1,1]:3] @[1]\n",
  ],
  [
    {
      resultType: "matrix",
      result: [
        {
          metric: { __name__: "up" },
          values: [
            [1, "1"],
            [2, "0"],
          ],
        },
      ],
    },
    "up =>\n1 @[1]\n0 @[2]\n",
  ],
])("%j is printed", (data, want) => expect(formatQueryAnswer(data)).toBe(want));

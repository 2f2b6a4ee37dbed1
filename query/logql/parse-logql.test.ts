import { SightlineError } from "@sightline/model/errors.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SampleExpr } from "./ast.ts";
import { evaluateLiteral } from "./literal-arithmetic.ts";
import { parseLogql, parseStreamSelector } from "./parse-logql.ts";
import { unquote } from "./unquote.ts";

const MAX_BYTES = 10_000;

function shape(expr: SampleExpr): string {
  if (expr.kind === "number") return String(expr.value);
  if (expr.kind === "vector") return `v${expr.value}`;
  return `(${shape(expr.left)} ${expr.op}${expr.bool ? " bool" : ""} ${shape(expr.right)})`;
}
function sample(text: string): SampleExpr {
  const expr = parseLogql(text, MAX_BYTES);
  if (expr.kind === "log") throw new Error("expected samples");
  return expr;
}

test("a log query is matchers and stages with their places", () => {
  expect(parseLogql('{a="b",c=~`d.*`} |= "x" or "y" !~ "z"', MAX_BYTES)).toEqual({
    kind: "log",
    matchers: [
      { name: "a", op: "=", value: "b" },
      { name: "c", op: "=~", value: "d.*" },
    ],
    stages: [
      { kind: "line-filter", op: "|=", texts: ["x", "y"], range: { start: 17, end: 30 } },
      { kind: "line-filter", op: "!~", texts: ["z"], range: { start: 31, end: 37 } },
    ],
    range: { start: 0, end: 37 },
  });
});

test.each([
  ["1+2*3", "(1 + (2 * 3))"],
  ["1*2+3", "((1 * 2) + 3)"],
  ["8-4-2", "((8 - 4) - 2)"],
  ["2^3^2", "(2 ^ (3 ^ 2))"],
  ["(1+2)*3", "((1 + 2) * 3)"],
  ["1 == bool 2 or vector(1) and vector(2)", "((1 == bool 2) or (v1 and v2))"],
  ["-1", "-1"],
  ["vector(0.5) > 1 unless vector(2)", "((v0.5 > 1) unless v2)"],
])("%s is read as %s", (text, want) => expect(shape(sample(text))).toBe(want));

test.each([
  ["1+2*3", { kind: "scalar", value: 7 }],
  ["7 % 4 - 2 / 4", { kind: "scalar", value: 2.5 }],
  ["1 > 2", { kind: "scalar", value: 0 }],
  ["vector(1) + 1", { kind: "vector", value: 2 }],
  ["vector(1) > 2", { kind: "vector", value: undefined }],
  ["2 < vector(3)", { kind: "vector", value: 3 }],
  ["vector(3) < bool 2", { kind: "vector", value: 0 }],
  ["(vector(1) > 2) or vector(5)", { kind: "vector", value: 5 }],
  ["vector(1) and vector(2)", { kind: "vector", value: 1 }],
  ["vector(1) unless vector(2)", { kind: "vector", value: undefined }],
  ["(vector(1) > 2) + vector(1)", { kind: "vector", value: undefined }],
])("%s is %j", (text, want) => expect(evaluateLiteral(sample(text))).toEqual(want));

describe("limits", () => {
  test("of the length of the text", () => {
    expect(() => parseLogql(`{a="${"x".repeat(MAX_BYTES)}"}`, MAX_BYTES)).toThrow("query.logs.max_query_bytes");
  });
  test("of parentheses", () => {
    const nested = (depth: number) => `${"(".repeat(depth)}1${")".repeat(depth)}`;
    expect(shape(sample(nested(150)))).toBe("1");
    expect(() => sample(nested(1_000))).toThrow("expressions may nest 200 deep");
  });
  test("of operators", () => {
    expect(evaluateLiteral(sample(`1${"+1".repeat(999)}`))).toEqual({ kind: "scalar", value: 1_000 });
    expect(() => sample(`1${"+1".repeat(1_010)}`)).toThrow("an expression may have 1000 operators");
  });
  test("long lists are no problem", () => {
    const filters = parseLogql(`{a="b"}${'|="x"'.repeat(500)}`, MAX_BYTES);
    expect(filters.kind === "log" && filters.stages.length).toBe(500);
  });
});

test.each([
  ["", []],
  ["{}", []],
  [" { } ", []],
  [
    '{a!="b",c="d"}',
    [
      ["a", "!=", "b"],
      ["c", "=", "d"],
    ],
  ],
])("the stream selector %j has the matchers %j", (text, want) =>
  expect(parseStreamSelector(text, MAX_BYTES).map(({ name, op, value }) => [name, op, value])).toEqual(want),
);

test.each([
  ['"a\\tb\\u00e9\\x41\\101\\U0001F600"', "a\tbéAA😀"],
  ['"\\xc3\\xa9"', "é"],
  ["`a\\n`", "a\\n"],
  ['"\\q"', undefined],
  ['"\\400"', undefined],
  ['"\\ud800"', undefined],
])("the literal %s is %j", (literal, want) => expect(unquote(literal)).toBe(want));

test("any text is read or refused, never a bug", () => {
  const fragment = fc.constantFrom(
    ...'{ } ( ) [ ] , = != =~ |= |~ ! " ` a "b" 1 5m + - * ^ or and bool vector sum rate json | \n # \\ é'.split(" "),
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 25 }), (fragments) => {
      try {
        parseLogql(fragments.join(" "), MAX_BYTES);
      } catch (error) {
        expect(error).toBeInstanceOf(SightlineError);
      }
    }),
    { numRuns: 2_000 },
  );
});

import { SightlineError } from "@sightline/model/errors.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LabelFilter, SampleExpr } from "../ast.ts";
import { formatLogql } from "../format/format-logql.ts";
import { parseLogql, parseStreamSelector } from "./parse-logql.ts";

const MAX_BYTES = 200_000;
const parse = (text: string) => parseLogql(text, MAX_BYTES);

function message(text: string): string {
  try {
    parse(text);
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
}

test("a log query is matchers and stages with their places", () => {
  expect(parse('{a="b",c=~`d.*`} |= "x" or ip("1.2.3.4") | json n="p" | drop e')).toEqual({
    kind: "log",
    matchers: [
      { name: "a", op: "=", value: "b" },
      { name: "c", op: "=~", value: "d.*" },
    ],
    stages: [
      {
        kind: "line-filter",
        op: "|=",
        operands: [
          { text: "x", isIp: false },
          { text: "1.2.3.4", isIp: true },
        ],
        range: { start: 17, end: 40 },
      },
      { kind: "json", extractions: [{ name: "n", path: "p" }], range: { start: 41, end: 53 } },
      { kind: "drop", labels: [{ name: "e" }], range: { start: 54, end: 62 } },
    ],
    range: { start: 0, end: 62 },
  });
});

test.each([
  ["1+2*3", "7"],
  ["2^3^2", "512"],
  ["1 > 2 > bool 0", "0"],
  ["-5 % 3", "-2"],
])("numbers are put together while they are read: %s is %s", (text, want) =>
  expect(formatLogql(parse(text))).toBe(want),
);

function shape(expr: SampleExpr): string {
  if (expr.kind === "vector") return String(expr.value);
  if (expr.kind === "binary") return `(${shape(expr.left)}${expr.op}${expr.bool ? "bool" : ""}${shape(expr.right)})`;
  return expr.kind === "number" ? `#${expr.value}` : expr.kind;
}
test.each([
  ["vector(1)+vector(2)*vector(3)", "(1+(2*3))"],
  ["vector(1)*vector(2)+vector(3)", "((1*2)+3)"],
  ["vector(8)-vector(4)-vector(2)", "((8-4)-2)"],
  ["vector(2)^vector(3)^vector(2)", "(2^(3^2))"],
  ["vector(1) == bool 2 or vector(1) and vector(2)", "((1==bool#2)or(1and2))"],
  ["vector(1) unless vector(2) or vector(3) > 1", "((1unless2)or(3>#1))"],
])("operators bind as in Loki: %s is %s", (text, want) => expect(shape(parse(text) as SampleExpr)).toBe(want));

function filterShape(filter: LabelFilter): string {
  switch (filter.kind) {
    case "and":
    case "or":
      return `(${filterShape(filter.left)} ${filter.kind} ${filterShape(filter.right)})`;
    case "matcher":
      return filter.matcher.name;
    default:
      return filter.name;
  }
}
test.each([
  ["a=1 or b=2 and c=3", "(a or (b and c))"],
  ["a=1 and b=2 or c=3", "((a and b) or c)"],
  ["a=1 or b=2, c=3", "(a or (b and c))"],
  ["a=1, b=2 or c=3", "(a and (b or c))"],
  ["a=1 and b=2, c=3 or d=4", "(a and (b and (c or d)))"],
  ['a="1" b="2" or c="3"', "(a and (b or c))"],
  ["(a=1 or b=2) and c=3", "((a or b) and c)"],
])("in a label filter %s is read as %s", (text, want) => {
  const expr = parse(`{x="y"} | ${text}`);
  const [stage] = expr.kind === "log" ? expr.stages : [];
  expect(stage?.kind === "label-filter" && filterShape(stage.filter)).toBe(want);
});

describe("what is wrong is said in Loki's words, with its line and column", () => {
  test.each([
    ['{a="b"', "parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,"],
    ['{a="b"}\n| json |', "parse error at line 2, col 9: syntax error: unexpected $end"],
    ['{a="b"} |~', "parse error at line 1, col 11: syntax error: unexpected $end, expecting STRING or ip"],
    ["{a='b'}", "parse error at line 1, col 4: syntax error: unexpected IDENTIFIER, expecting STRING"],
    ['{a="b', "parse error at line 1, col 4: literal not terminated"],
    ['{a="\\d', "parse error at line 1, col 4: invalid char escape"],
    ['{a="b"} | x > 5EB', "parse error at line 1, col 15: exponent has no digits"],
    ['{a="b"5env="x"}', "parse error at line 1, col 7: exponent has no digits"],
    ['{a="b"} | x > 08', "parse error at line 1, col 15: invalid digit '8' in octal literal"],
    ["{a=b}", "parse error at line 1, col 4: syntax error: unexpected IDENTIFIER, expecting STRING"],
    ['{é="😀", a}', "parse error at line 1, col 10: syntax error: unexpected }, expecting = or =~ or !~ or !="],
    ['rate({a="b"}[5x])', 'parse error at line 0, col 13: unknown unit "x" in duration "5x"'],
    ['rate({a="b"}[5m)', "parse error at line 0, col 13: missing closing ']' in duration"],
    ['rate({a="b"})', "parse error at line 1, col 13: syntax error: unexpected )"],
    ['sum({a="b"}[5m])', "parse error at line 0, col 12: syntax error: unexpected RANGE"],
    ["foo(1)", "parse error at line 1, col 1: syntax error: unexpected IDENTIFIER"],
    ['{a=~"("}', "parse error : error parsing regexp: missing closing ): `(`"],
    ['{a=~".*"}', expect.stringMatching(/^parse error : queries require at least one regexp or equality matcher/)],
    ['sum_over_time({a="b"}[1m])', "parse error : invalid aggregation sum_over_time without unwrap"],
    ['rate({a="b"}[1m]) by (x)', "parse error : grouping not allowed for rate aggregation"],
    ['topk(rate({a="b"}[1m]))', "parse error : parameter required for operation topk"],
    ['{a="b"} + 1', "parse error : unexpected type for left leg of binary operation (+): *syntax.MatchersExpr"],
    [
      '1 and rate({a="b"}[1m])',
      "parse error : unexpected literal for left leg of logical/set binary operation (and): 1.000000",
    ],
    ['{a="b"} | regexp "x"', "parse error : invalid regexp parser: at least one named capture must be supplied"],
    [
      '{a="b"} | pattern "<a><b>"',
      "parse error : invalid pattern parser: found consecutive capture '<a><b>': invalid expression",
    ],
    [
      '{a="b"} | json | x > 0x10',
      'parse error : unable to parse literal as a float: strconv.ParseFloat: parsing "0x10": invalid syntax',
    ],
  ])("%s", (text, want) => expect(message(text)).toEqual(want));

  test("the place of a query that is well formed is in the error's fields", () => {
    expect(() => parse('1 + sum_over_time({a="b"}[1m])')).toThrow(expect.objectContaining({ position: 4, end: 30 }));
  });
});

describe("limits", () => {
  const nested = (depth: number) => `${"(".repeat(depth)}1${")".repeat(depth)}`;
  test.each([
    [`{a="${"x".repeat(MAX_BYTES)}"}`, "query.logs.max_query_bytes"],
    [nested(1_000), "expressions may nest 500 deep"],
    [`{a="b"} | ${"(".repeat(1_000)}c="d"${")".repeat(1_000)}`, "expressions may nest 500 deep"],
    [`{a="b"} | ${'c="d",'.repeat(2_000)} c="d"`, "expressions may nest 500 deep"],
    [`vector(1)${"+vector(1)".repeat(1_010)}`, "an expression may have 1000 operators"],
    [`rate(${"(".repeat(1_000)}{a="b"}[5m]${")".repeat(1_001)}`, "expressions may nest 500 deep"],
  ])("%.30s … is refused", (text, want) => expect(message(text)).toContain(want));

  test("long lists are no problem", () => {
    const expr = parse(`{a="b"}${'|="x"'.repeat(5_000)} | a="1" ${'or a="1"'.repeat(400)}`);
    expect(expr.kind === "log" && expr.stages.length).toBe(5_001);
  });
});

test.each([
  ["", []],
  ["{}", []],
  [" { } ", []],
  ['{a!="b",c="d"}', ["a!=b", "c=d"]],
])("the stream selector %j has the matchers %j", (text, want) =>
  expect(parseStreamSelector(text, MAX_BYTES).map(({ name, op, value }) => name + op + value)).toEqual(want),
);

describe("what is printed is read as the same query", () => {
  test.each([
    ['{a="b"}|="x" or "y"!="z" or ip("1.2.3.4")', '{a="b"} |= "x" or "y" != "z" != ip("1.2.3.4")'],
    [
      '{a="b"}|logfmt --strict x,y="k"|x>5m and y<=1.5KB',
      '{a="b"} | logfmt --strict x="x",y="k" | ( x>5m0s , y<=1.5kB )',
    ],
    ['sum(rate({a="b"}[90s]offset 1h)) by(x,y)/2', '(sum by (x,y)(rate({a="b"}[1m30s] offset 1h0m0s)) / 2)'],
    [
      'quantile_over_time(.5,{a="b"}|unwrap duration(d)|__error__=""[1w])without(x)',
      'quantile_over_time(0.5,{a="b"} | unwrap duration(d) | __error__=""[1w]) without (x)',
    ],
    [
      "topk(3,vector(1))>bool on(a)group_left(b)vector(2)",
      "(topk(3,vector(1.000000)) > bool on (a) group_left (b) vector(2.000000))",
    ],
  ])("%s is printed as %s", (text, want) => expect(formatLogql(parse(text))).toBe(want));

  test("for any query", () => {
    fc.assert(
      fc.property(anyQuery(), (text) => {
        const printed = formatLogql(parse(text));
        expect(formatLogql(parse(printed))).toBe(printed);
      }),
      { numRuns: 300 },
    );
  });
});

/** Random valid queries. */
function anyQuery(): fc.Arbitrary<string> {
  const name = fc.constantFrom("a", "status", "k8s_pod", "rate", "bytes");
  const text = fc.string({ maxLength: 6, unit: "grapheme" }).map((raw) => JSON.stringify(raw));
  const number = fc.constantFrom("1", "2.5", "1e3", "-7");
  const amount = fc.oneof(number, fc.constantFrom("5m", "1.5s", "3KB", "1MiB", "250us"));
  const comparison = fc
    .tuple(name, fc.constantFrom(">", ">=", "<", "<=", "==", "!=", "="), amount)
    .map((parts) => parts.join(""));
  const matcher = fc.tuple(name, fc.constantFrom("=", "!="), text).map((parts) => parts.join(""));
  const filter = fc.oneof(
    comparison,
    matcher,
    fc.tuple(matcher, fc.constantFrom(" and ", " or ", ", ", " "), comparison).map((parts) => parts.join("")),
  );
  const stage = fc.oneof(
    fc
      .tuple(
        fc.constantFrom("|=", "!=", "|~", "!~"),
        text.filter((raw) => !/[\\()[\]{}*+?^$|]/.test(raw)),
      )
      .map((parts) => parts.join(" ")),
    filter.map((one) => `| ${one}`),
    fc.constantFrom(
      "| json",
      "| logfmt --keep-empty",
      "| unpack",
      "| decolorize",
      "| drop a, b",
      '| keep a="x"',
      '| json a="b.c"',
      "| label_format a=b",
      "| line_format `{{.a}}`",
    ),
  );
  const log = fc.array(stage, { maxLength: 4 }).map((stages) => ['{app="x"}', ...stages].join(" "));
  const range = fc.constantFrom("[5m]", "[1h30m] offset 5m", "[1d]");
  const counted = fc
    .tuple(fc.constantFrom("rate", "count_over_time", "bytes_rate"), log, range)
    .map(([op, lines, of]) => `${op}(${lines} ${of})`);
  const unwrapped = fc
    .tuple(
      fc.constantFrom("avg_over_time", "max_over_time"),
      log,
      fc.constantFrom("x", "bytes(x)"),
      fc.constantFrom("", " by (a)"),
    )
    .map(([op, lines, label, grouping]) => `${op}(${lines} | unwrap ${label} [5m])${grouping}`);
  const samples = fc.letrec<{ expr: string }>((tie) => ({
    expr: fc.oneof(
      { maxDepth: 3 },
      counted,
      unwrapped,
      fc
        .tuple(fc.constantFrom("sum", "max by (a)", "avg without (b)"), tie("expr"))
        .map(([op, inner]) => `${op} (${inner})`),
      fc
        .tuple(tie("expr"), fc.constantFrom("+", "/ on (a) group_left ()", "> bool", "and", "^"), tie("expr"))
        .map((parts) => `(${parts.join(" ")})`),
      tie("expr").map((inner) => `label_replace(${inner}, "a", "$1", "b", "(.*)")`),
    ),
  })).expr;
  return fc.oneof(log, samples);
}

test("any text is read or refused, never a bug", () => {
  const fragment = fc.constantFrom(
    ...'{ } ( ) [ ] [5m] , = != =~ |= |~ |> ! " ` a "b" 1 5m 2KB + - -- --strict * ^ or and bool on by vector ( sum ( rate ( json logfmt unwrap | offset \n # \\ é ip ( topk ( 0x label_format drop'.split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 25 }), (fragments) => {
      try {
        parse(fragments.join(" "));
      } catch (error) {
        expect(error).toBeInstanceOf(SightlineError);
      }
    }),
    { numRuns: rounds(500) },
  );
});

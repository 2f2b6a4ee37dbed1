import { ParseError } from "@sightline/model/errors.ts";
import { expect, test } from "vitest";
import { formatExpr } from "../format/format-expr.ts";
import { parsePromql, parseSelector } from "./parse-promql.ts";

test.each([
  ["sum(x) by(job)", "sum by (job) (x)"],
  ["sum(x) by(job,)", "sum by (job) (x)"],
  ["-1^2", "-1 ^ 2"],
  ["2 ^ 3 ^ 2", "2 ^ 3 ^ 2"],
  ["a+b*c", "a + b * c"],
  ["x offset 5m", "x offset 5m"],
  ["x offset -90s", "x offset -1m30s"],
  ["x @ start()", "x @ start()"],
  ["x[5m] @ 1609746000.5 offset 1h", "x[5m] @ 1609746000.500 offset 1h"],
  ["rate(x[5m:])", "rate(x[5m:])"],
  ["rate(x[1h:30s] offset 1d)", "rate(x[1h:30s] offset 1d)"],
  ['x{b="2",a!~"y|z"}', 'x{a!~"y|z",b="2"}'],
  ['{"http.server.duration", "service.name"="a"}', '{"service.name"="a",__name__="http.server.duration"}'],
  ["x{a=~`\\d+`}", 'x{a=~"\\\\d+"}'],
  ["a == bool on(x, y) group_left(z) b", "a == bool on (x, y) group_left (z) b"],
  ["a unless ignoring(x) b", "a unless ignoring (x) b"],
  ["a + fill(0) b", "a + fill (0) b"],
  ["0x1F + 1_000 + 017 + 1e3 + .5 + Inf + NaN", "31 + 1000 + 15 + 1000 + 0.5 + +Inf + NaN"],
  ["x > 1h30m", "x > 1h30m"],
  ["sum", "sum"],
  ["sum{a='b'}", 'sum{a="b"}'],
  ["start + end", "start + end"],
  ["max_of(1, 2)", "max_of(1, 2)"],
  ["x[step() * 2 + 1m]", "x[step() * 2 + 1m]"],
  ["rate(x[5m] smoothed)", "rate(x[5m] smoothed)"],
  ["h >/ 0.5 </ 2", "h >/ 0.5 </ 2"],
  ["x # comment\n + y", "x + y"],
  ["fill + fill_left", "fill + fill_left"],
  ["SUM BY (a) (x)", "sum by (a) (x)"],
  ["label_replace(x, 'a', '$1', \"b\", `(.*)`)", 'label_replace(x, "a", "$1", "b", "(.*)")'],
  ["'\\xe2\\x82\\xac \\u20ac \\101'", '"€ € A"'],
])("reads %s", (text, want) => expect(formatExpr(parsePromql(text))).toBe(want));

test.each([
  ["rate(x)", '1:6: parse error: expected type range vector in call to function "rate", got instant vector'],
  ["", "unknown position: parse error: no expression found in input"],
  [" ", "1:1: parse error: no expression found in input"],
  ["(", "1:2: parse error: unclosed left parenthesis"],
  ["x)", "1:3: parse error: unexpected right parenthesis ')'"],
  ["x[5m", "1:5: parse error: unclosed left bracket"],
  ["~", "1:1: parse error: unexpected character: '~'"],
  ["1 +", "1:4: parse error: unexpected end of input"],
  ["x y", '1:3: parse error: unexpected identifier "y"'],
  ["sum x", '1:5: parse error: unexpected identifier "x"'],
  ["sum(a b)", '1:7: parse error: unexpected identifier "b" in aggregation'],
  ["sum by a (x)", '1:8: parse error: unexpected identifier "a" in grouping opts, expected "("'],
  ["x + on (a) group_left", '1:22: parse error: unexpected end of input in grouping opts, expected "("'],
  ["sum by (1) (x)", '1:9: parse error: unexpected number "1" in grouping opts, expected label'],
  ["sum(x) by (a b)", '1:14: parse error: unexpected identifier "b" in grouping opts, expected "," or ")"'],
  ["x{a}", '1:4: parse error: unexpected "}" in label matching, expected label matching operator'],
  ["x{a=b}", '1:5: parse error: unexpected identifier "b" in label matching, expected string'],
  ["x{1}", "1:3: parse error: unexpected character inside braces: '1'"],
  ['x{a="b" c="d"}', '1:9: parse error: unexpected identifier "c" in label matching, expected "," or "}"'],
  ['x{a="b}', "1:5: parse error: unterminated quoted string"],
  ["x{a='\\q'}", "1:5: parse error: unknown escape sequence U+0071 'q'"],
  [
    "x offset foo",
    '1:10: parse error: unexpected identifier "foo" in offset, expected number, duration, step(), or range()',
  ],
  ["x @ foo", '1:5: parse error: unexpected identifier "foo" in @, expected timestamp'],
  ["x[5m] offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"],
  ["x @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"],
  ["x @ Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"],
  [
    "(x) offset 1m",
    "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
  ],
  ["x offset 1m[5m]", "1:12: parse error: no offset modifiers allowed before range"],
  ["sum(x)[5m]", "1:7: parse error: ranges only allowed for vector selectors"],
  ["x[0]", "1:3: parse error: duration must be greater than 0"],
  ["foo(x)", '1:1: parse error: unknown function with name "foo"'],
  ["abs(x, y)", '1:1: parse error: expected 1 argument(s) in call to "abs", got 2'],
  ["round()", '1:1: parse error: expected at least 1 argument(s) in call to "round", got 0'],
  ["round(x, 1, 2)", '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
  ["abs(x,)", "1:6: parse error: trailing commas not allowed in function call args"],
  ["topk(x)", "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"],
  ["sum()", "1:1: parse error: no arguments for aggregate expression provided"],
  ["topk('a', x)", "1:6: parse error: expected type scalar in aggregation parameter, got string"],
  ["1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
  ["x + bool y", "1:3: parse error: bool modifier can only be used on comparison operators"],
  ["1 and 2", '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
  ["x and on(a) group_left y", '1:1: parse error: no grouping allowed for "and" operation'],
  ["x + on(a) 1", "1:1: parse error: vector matching only allowed between instant vectors"],
  ["x + on(a) group_left(a) y", '1:3: parse error: label "a" must not occur in ON and GROUP clause at once'],
  ["x[5m] + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"],
  [
    "-x[5m]",
    '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
  ],
  ["1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"],
  ["{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['{a=~".*"}', "1:1: parse error: vector selector must contain at least one non-empty matcher"],
  ['x{__name__="y"}', '1:1: parse error: metric name must not be set twice: "x" or "y"'],
  ["\n\n  rate(x)", '3:8: parse error: expected type range vector in call to function "rate", got instant vector'],
  ["0o17", '1:1: parse error: bad number or duration syntax: "0"'],
  ["0x1e", '1:1: parse error: bad number or duration syntax: "0x1e"'],
  ["1e400", '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1e400": value out of range'],
  [
    "0xffffffffffffffffffff",
    '1:1: parse error: error parsing number: strconv.ParseFloat: parsing "0xffffffffffffffffffff": invalid syntax',
  ],
  ["'a\ufffd'", "1:1: parse error: invalid UTF-8 rune"],
  ["x{a='\ud800'}", "1:5: parse error: invalid UTF-8 rune"],
  ["5mx", '1:1: parse error: bad number or duration syntax: "5mx"'],
  ["1.2.3", '1:1: parse error: bad number or duration syntax: "1.2."'],
  ["1.5h", '1:1: parse error: unknown unit "." in duration "1.5h"'],
  ["5ms30s", '1:1: parse error: not a valid duration string: "5ms30s"'],
  ["x[:]", "1:4: parse error: unexpected colon before duration in duration expression"],
  ["x[step():5m]", "1:10: parse error: unexpected colon before duration in duration expression"],
  ["x[5m::]", "1:6: parse error: unexpected colon ':'"],
  ["x{a=~'('}", "1:3: parse error: error parsing regexp: missing closing ): `(`"],
  ["x{a=~'[b'}", "1:3: parse error: error parsing regexp: missing closing ]: `[b`"],
  ["ä", "1:1: parse error: unexpected character: 'ä'"],
  ["'ä' + rate(x)", '1:13: parse error: expected type range vector in call to function "rate", got instant vector'],
])("refuses %j as Prometheus does", (text, want) => {
  expect(() => parsePromql(text)).toThrow(ParseError);
  expect(messageOf(text)).toBe(want);
});

test("an offset that is no number is refused; Prometheus takes it for -292 years", () => {
  expect(() => parsePromql("x offset -NaN")).toThrow("1:11: parse error: duration out of range");
});

test.each([
  ["http.server.duration", "1:5", `{"http.server.duration"}`],
  ['rate(http.server.duration{a="b"}[5m])', "1:10", `{"http.server.duration", …}`],
  ["sum(http.2xx.responses)", "1:9", `{"http.2xx.responses"}`],
  ["a.5", "1:2", `{"a.5"}`],
  ['x{http.method="GET"}', "1:7", `{"http.method"="GET"}`],
  ['x{a="b",http.method=~"G.*"}', "1:13", `{"http.method"=~"G.*"}`],
  ["sum by (job, http.method) (x)", "1:18", `"http.method"`],
  ["x * on (host.name) y", "1:13", `"host.name"`],
])("of %s says where and how to write the dotted name", (text, position, fix) => {
  expect(messageOf(text)).toMatch(new RegExp(`^${position}: parse error: .*; a name with dots is written in quotes: `));
  expect(messageOf(text).endsWith(`: ${fix}`)).toBe(true);
});

test.each(["1.2.3", "x offset.5.5", "'a.b", "x{a='b.c'", "x[1.5.5]"])("has no such hint for %s", (text) => {
  expect(messageOf(text)).not.toContain("dots");
});

function messageOf(text: string): string {
  try {
    return formatExpr(parsePromql(text));
  } catch (error) {
    return (error as Error).message;
  }
}

test("an error underlines the place", () => {
  try {
    parsePromql("1 + rate(xyz)");
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ position: 9, end: 12 });
  }
});

function chainsInParentheses(depth: number, length: number): string {
  return `${"(".repeat(depth)}x${`${" or x".repeat(length)})`.repeat(depth)}`;
}

test.each([
  ["10,000 parentheses", "(".repeat(10_000), /nested more than 500 levels deep/],
  ["10,000 signs", `${"-".repeat(10_000)}1`, /nested more than 500 levels deep/],
  ["10,000 calls", `${"abs(".repeat(10_000)}x`, /nested more than 500 levels deep/],
  ["10,000 subqueries", `x${"[5m:]".repeat(10_000)}`, /more than 100 modifiers in a row/],
  ["10,000 operators", `x${"+x".repeat(10_000)}`, /more than 1000 operators in a row/],
  ["10,000 powers", `1${"^1".repeat(10_000)}`, /nested more than 500 levels deep/],
  ["chains of operators in parentheses", chainsInParentheses(4, 900), /a tree of more than 1600 levels/],
  ["10,000 operators in parentheses", chainsInParentheses(100, 100), /more than 5000 operators in one query/],
  ["10,000 durations added up", `x[1s${"+1s".repeat(10_000)}]`, /more than 500 operations in one duration expression/],
  ["10,000 durations compared", `x[${"max_of(".repeat(10_000)}`, /nested more than 500 levels deep/],
  [
    "5,000 regular expressions",
    `x{${Array.from({ length: 5_000 }, (_, i) => `a!~"${i}.+b"`)}}`,
    /the regular expressions have more than 10240 characters/,
  ],
])("%s are refused instead of exhausting the stack or the time", (_, text, want) => {
  expect(() => parsePromql(text)).toThrow(want);
});

test("experimental syntax can be turned off", () => {
  for (const text of ["max_of(1, 2)", "x[5m + 1m]", "rate(x[5m] anchored)", "limitk(1, x)", "a + fill(0) b"]) {
    expect(() => parsePromql(text)).not.toThrow();
    expect(() => parsePromql(text, { experimental: false })).toThrow(ParseError);
  }
});

test("a series selector gives its matchers", () => {
  expect(parseSelector('up{job=~"a|b"}')).toEqual([
    { name: "job", op: "=~", value: "a|b" },
    { name: "__name__", op: "=", value: "up" },
  ]);
  expect(parseSelector('{"http.server"}')).toEqual([{ name: "__name__", op: "=", value: "http.server" }]);
  expect(parseSelector("{}")).toEqual([]);
  for (const name of ["sum", "and", "offset", "rate", "a:b"]) expect(parseSelector(name)).toHaveLength(1);
});

test.each([
  ["", "unknown position: parse error: unexpected end of input"],
  ["up[5m]", '1:3: parse error: unexpected "["'],
  ["up offset 5m", "1:4: parse error: unexpected <offset>"],
  ["up+1", "1:3: parse error: unexpected <op:+>"],
  ["1", '1:1: parse error: unexpected number "1"'],
  ["sum(up)", '1:4: parse error: unexpected "("'],
  ["(up)", '1:1: parse error: unexpected "("'],
  ["up x", '1:4: parse error: unexpected identifier "x"'],
  ["up{", "1:4: parse error: unexpected end of input inside braces"],
  ["on", "1:1: parse error: unexpected <on>"],
])("nothing but a selector is one: %j", (text, want) => expect(() => parseSelector(text)).toThrow(want));

import { describe, expect, test } from "vitest";
import { processed } from "../logql-test-store.ts";

type Labels = Record<string, string>;
const NOTHING: Labels = {};

describe("parsers make labels of a line", () => {
  test.each<[string, string, Labels]>([
    ["| json", '{"a":"x","b":1.50,"c":true,"n":null,"l":[1]}', { a: "x", b: "1.50", c: "true" }],
    ["| json", '{"a":{"b":{"c":"d"},"e":"f"}}', { a_b_c: "d", a_e: "f" }],
    ["| json", '{"a":"first","a":"second"}', { a: "first" }],
    ["| json", '{"app":"mine"}', { app_extracted: "mine" }],
    ["| json", '{"a.b c":"x","9":"y"," ":"z"}', { a_b_c: "x", _9: "y" }],
    ["| json", '{"a":"tab\\t\\u00e9 \\ud83d\\ude00","b":"bad\\q"}', { a: "tab\té 😀", b: "" }],
    ["| json", '{"a":"b"} trailing', { a: "b" }],
    [
      '| json who="user.id", first="tags[0]", none="x.y"',
      '{"user":{"id":7},"tags":["a","b"]}',
      { who: "7", first: "a", none: "" },
    ],
    [
      '| json o="o", l="l", deep="[\\"a b\\"].c"',
      '{"o":{"x": 1},"l":[1, 2],"a b":{"c":"d"}}',
      { o: '{"x": 1}', l: "[1, 2]", deep: "d" },
    ],
    ["| logfmt", 'a=1 b="two words" c="q\\"uote" d', { a: "1", b: "two words", c: 'q"uote' }],
    ["| logfmt", "a=1 a=2 x-y=3 app=mine", { a: "1", x_y: "3", app_extracted: "mine" }],
    ["| logfmt", 'a=1 b="open', { a: "1" }],
    ["| logfmt", "a=1 =x b=2", { a: "1", b: "2" }],
    ["| logfmt --keep-empty", "a= b=1 c", { a: "", b: "1", c: "" }],
    ['| logfmt level_of="lvl", a', "lvl=warn a=1 b=2", { level_of: "warn", a: "1" }],
    ["| logfmt a", "b=2", { a: "" }],
    ["| regexp `(?P<method>\\w+) (?P<path>\\S+)`", "GET /x 200", { method: "GET", path: "/x" }],
    ["| regexp `(?P<app>\\d+)`", "no digits", NOTHING],
    [
      '| pattern `<ip> - <_> "<method> <path>"`',
      '1.2.3.4 - bob "GET /x"',
      { ip: "1.2.3.4", method: "GET", path: "/x" },
    ],
    ["| pattern `<a> <b>`", "only", { a: "only" }],
    ["| pattern `x <a>`", "y z", NOTHING],
    ["| unpack", '{"a":"x","n":1,"_entry":"the line"}', { a: "x" }],
    ["| unpack", '{"a":"x"}', NOTHING],
    [
      '| json b="b", c="c[1].d"',
      '{"a": $, "b": nul, "b":"x" "c":[1,{"d":2}',
      { b: "", c: "2", __error__: "JSONParserErr", __error_details__: "Unknown value type" },
    ],
    ['| json a="u.v", b="l[0]", c="l[9]"', '{"u":{"w":{"v":1},"v":2},"l":["x"],"a":"y"', { a: "2", b: "x", c: "" }],
    ['| logfmt | logfmt a="k"', "k=1", { a: "", k: "1" }],
    ["| json | __error__=``", '{"__error__":"mine"}', { __error__: "mine" }],
    [
      "| json | a > 5",
      '{"__error__":"mine","a":"x"}',
      { a: "x", __error__: "LabelFilterErr", __error_details__: 'strconv.ParseFloat: parsing "x": invalid syntax' },
    ],
  ])("%s of %s", async (stages, line, parsed) => {
    expect((await processed(stages, line))?.parsed).toEqual(parsed);
  });

  test("unpack brings the packed line back", async () => {
    expect((await processed("| unpack", '{"_entry":"the\\nline"}'))?.line).toBe("the\nline");
  });
});

describe("a line of very many fields", () => {
  const many = (count: number, field: (i: number) => string, separator: string) =>
    Array.from({ length: count }, (_, i) => field(i)).join(separator);
  test.each([
    ["| json", (n: number) => `{${many(n, (i) => `"k${i}":1`, ",")}}`],
    ["| logfmt", (n: number) => many(n, (i) => `k${i}=1`, " ")],
    ["| unpack", (n: number) => `{${many(n, (i) => `"k${i}":"1"`, ",")},"_entry":""}`],
  ])("%s has ten thousand of them at most", async (stages, line) => {
    const ten = await processed(stages, line(10_000));
    expect(Object.keys(ten?.parsed ?? {})).toHaveLength(10_000);
    const more = (await processed(stages, line(10_001)))?.parsed;
    expect(more).toMatchObject({ __error_details__: "the line has more than 10000 fields" });
  });

  test("and blocks in blocks are read in a line as wide as it is deep", async () => {
    const line = `{"a":${"[".repeat(200_000)}${"]".repeat(200_000)},"b":{"c":{"d":[${"[[]],".repeat(50_000)}1]}},"e":"found"}`;
    expect((await processed("| json", line))?.parsed).toEqual({ e: "found" });
    expect((await processed('| json x="b.c.d[50000]", y="e"', line))?.parsed).toEqual({ x: "1", y: "found" });
  });
});

describe("what is malformed is noted, and what came before it is kept", () => {
  const CLOSING = "Value looks like object, but can't find closing '}' symbol";
  test.each<[string, string, Labels]>([
    ["| json", "plain", { __error__: "JSONParserErr", __error_details__: CLOSING }],
    ["| json", '{"a":"b","c":', { a: "b", __error__: "JSONParserErr", __error_details__: "Malformed JSON error" }],
    ["| json", '{"a":tru}', { __error__: "JSONParserErr", __error_details__: "Unknown value type" }],
    ['| json a="x"', "plain", { __error__: "JSONParserErr" }],
    [
      "| logfmt --strict",
      'a=1 b="open',
      {
        a: "1",
        __error__: "LogfmtParserErr",
        __error_details__: "logfmt syntax error at pos 12 : unterminated quoted value",
      },
    ],
    ["| unpack", "plain", { __error__: "JSONParserErr", __error_details__: "expecting json object(6), but it is not" }],
    [
      "| logfmt | a > 5",
      "a=x",
      { a: "x", __error__: "LabelFilterErr", __error_details__: 'strconv.ParseFloat: parsing "x": invalid syntax' },
    ],
    [
      "| logfmt | a > 5s",
      "a=x",
      { a: "x", __error__: "LabelFilterErr", __error_details__: 'time: invalid duration "x"' },
    ],
    ["| json | drop __error__", "plain", { __error_details__: CLOSING }],
    ["| json | drop __error__, __error_details__", "plain", NOTHING],
  ])("%s of %s", async (stages, line, parsed) => {
    expect((await processed(stages, line))?.parsed).toEqual(parsed);
  });

  test.each([
    ['| json | __error__=""', "plain"],
    ['| json | __error__!="JSONParserErr"', "plain"],
  ])("%s drops such lines", async (stages, line) => expect(await processed(stages, line)).toBeUndefined());
});

describe("filters", () => {
  test.each<[string, string, boolean]>([
    ['|= "b" != "x"', "abc", true],
    ['!= "b" or "x"', "ayc", true],
    ['!= "b" or "c"', "ayc", false],
    ['|= "x" or "b"', "abc", true],
    ['|= "" or "x"', "abc", false],
    ['|~ "a.c" or "z+"', "abc", true],
    ['|> "a<_>c"', "abc", true],
    ['|> "<_>b"', "abc", false],
    ['!> "<_>b<_>"', "abc", false],
    ['|= ip("10.0.0.0/8")', "from 10.1.2.3 to", true],
    ['|= ip("10.0.0.0/8")', "from 11.1.2.3 to", false],
    ['|= ip("192.168.4.5-192.168.4.20")', "192.168.4.7", true],
    ['!= ip("2001:db8::/32")', "at 2001:db8::1", false],
    ["| logfmt | a=~`x.*` and b>=2", "a=xyz b=2", true],
    ["| logfmt | a=~`x`", "a=xyz", false],
    ['| logfmt | a="n" or b="2", c="n"', "a=m b=2 c=n", true],
    ['| logfmt | a="m" or b="2", c="n"', "a=m b=x c=x", true],
    ["| logfmt | missing>1", "a=1", false],
    ['| logfmt | missing=""', "a=1", true],
    ["| logfmt | d>1m30s", "d=2m", true],
    ["| logfmt | d<=1ms", "d=1.5ms", false],
    ["| logfmt | s>1KB", "s=1KiB", true],
    ["| logfmt | s=2000", "s=2e3", true],
    ['| logfmt | addr=ip("10.0.0.1")', "addr=10.0.0.1:80", true],
    ['| logfmt | addr!=ip("10.0.0.1")', "addr=10.0.0.2", true],
  ])("%s of %s: %s", async (stages, line, passes) => {
    expect((await processed(stages, line)) !== undefined).toBe(passes);
  });
});

describe("formatters", () => {
  test.each<[string, string, string]>([
    ['| line_format "{{.app}}-{{.missing}}"', "x", "a-"],
    ["| logfmt | line_format `{{.a | upper}} {{ __line__ }}`", "a=b", "B a=b"],
    ["| decolorize", "\u001b[31mred\u001b[0m", "red"],
    ["| label_format b=app | line_format `{{.b}}{{.app}}`", "x", "a"],
    ['| label_format b="{{.app}}!" | line_format `{{.b}}`', "x", "a!"],
    ['| label_format b="1", c="{{.b}}2" | line_format `{{.c}}`', "x", "2"],
    // Of no labels at all Loki looks for them again with each template.
    ['| keep none | label_format b="1", c="{{.b}}2" | line_format `{{.c}}`', "x", "12"],
    ["| logfmt | keep a | line_format `{{.a}}{{.b}}{{.app}}`", "a=1 b=2", "1"],
    ['| logfmt | drop a, b="x" | line_format `{{.a}}{{.b}}`', "a=1 b=2", "2"],
  ])("%s of %j gives %j", async (stages, line, want) => expect((await processed(stages, line))?.line).toBe(want));

  test("line filters are applied before parsers, but after what makes a new line", async () => {
    expect(await processed('| line_format "new" |= "old"', "old")).toBeUndefined();
    expect(await processed('| logfmt | line_format "new" |= "new"', "old")).toBeDefined();
    expect(await processed('| decolorize |= "\u001b"', "\u001b[31mred")).toBeDefined();
  });
});

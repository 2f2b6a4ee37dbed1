import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatMatcher, formatMatchers } from "./label-matcher.ts";
import { MatcherSyntax, type SyntaxMode } from "./matcher-syntax.ts";

const parse = (mode: SyntaxMode, text: string) => formatMatchers(new MatcherSyntax(mode).matchers(text));

describe("what is understood in which mode", () => {
  test.each<[string, string, string]>([
    // text, classic, utf8 (an error begins with !)
    ['foo="bar"', '{foo="bar"}', '{foo="bar"}'],
    ["foo=bar", '{foo="bar"}', '{foo="bar"}'],
    ['{foo="bar",baz!~"q.*"}', '{foo="bar",baz!~"q.*"}', '{foo="bar",baz!~"q.*"}'],
    ["{foo=bar,}", '{foo="bar"}', '{foo="bar"}'],
    ['foo="bar', "!unescaped double quote", '!4:8: "bar: missing end "'],
    ["foo=bar baz", '{foo="bar baz"}', "!8:11: unexpected baz: expected a comma or close brace"],
    ["foo🙂=bar", "!bad matcher format", '{foo🙂="bar"}'],
    ['"foo bar"=baz', "!bad matcher format", '{"foo bar"="baz"}'],
    ['foo="b\\"a\\\\r\\n"', '{foo="b\\"a\\\\r\\n"}', '{foo="b\\"a\\\\r\\n"}'],
    ['"\\xf0\\x9f\\x99\\x82"=x', "!bad matcher format", '{🙂="x"}'],
    ['foo="\\d+"', '{foo="\\\\d+"}', "!invalid input"],
    ["{foo=bar", '{foo="bar"}', "!expected close brace"],
    ["foo=bar}", '{foo="bar"}', "!expected opening brace"],
    ["foo", "!bad matcher format", "!end of input: expected an operator"],
    ["=bar", "!bad matcher format", "!expected label name"],
    ["foo=", '{foo=""}', "!end of input: expected label value"],
    ["{}", "{}", "{}"],
    ["", "{}", "{}"],
    ["foo=~(", "!error parsing regexp", "!failed to create matcher: error parsing regexp"],
    ["foo!bar", "!bad matcher format", "!3:4: !: expected one of '=~'"],
  ])("%s", (text, classic, utf8) => {
    for (const [mode, want] of [
      ["classic", classic],
      ["utf8", utf8],
      // Where they disagree, what it has always meant.
      ["fallback", classic.startsWith("!") ? (utf8.startsWith("!") ? classic : utf8) : classic],
    ] as const) {
      if (want.startsWith("!")) expect(() => parse(mode, text)).toThrow(want.slice(1));
      else expect(parse(mode, text)).toBe(want);
    }
  });
});

test("one matcher must not have braces", () => {
  expect(() => new MatcherSyntax("fallback").matcher("{a=b}")).toThrow("unexpected open or close brace: {a=b}");
});

test("what is printed is parsed to the same", () => {
  const syntax = new MatcherSyntax("utf8");
  const text = fc.string({ unit: "grapheme", minLength: 1 });
  fc.assert(
    fc.property(text, fc.constantFrom("=", "!="), text, (name, op, value) => {
      const [matcher] = syntax.matchers(formatMatcher({ name, op: op as "=", value }));
      expect(matcher).toMatchObject({ name, op, value });
    }),
  );
});

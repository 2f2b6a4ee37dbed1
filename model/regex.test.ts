import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRegex, countCutTexts, limitRegexWork } from "./regex.ts";
import { regexAlternatives } from "./regex-alternatives.ts";

describe("a list of plain strings is known as such", () => {
  test.each([
    ["a", ["a"]],
    ["a|b", ["a", "b"]],
    ["(a|b)", ["a", "b"]],
    ["(?:a|b)", ["a", "b"]],
    ["10\\.0\\.0\\.1:9100|x\\-y", ["10.0.0.1:9100", "x-y"]],
    ["", [""]],
    ["a||b", ["a", "", "b"]],
    ["a.b", undefined],
    ["a\\d", undefined],
    ["(a)|(b)", undefined],
    ["a|(b)", undefined],
    ["(?i)a", undefined],
    ["a\\", undefined],
  ])("%j: %j", (source, literals) => {
    if (source === "a\\") expect(() => compileRegex(source)).toThrow(/invalid regular expression/);
    else expect(compileRegex(source).literals).toEqual(literals);
  });
});

test("a list matches the same texts as the expression that it is", () => {
  const text = fc.string({ maxLength: 4, unit: fc.constantFrom("a", "b", ".", "|", "-", "\\") });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, (alternatives, input) => {
      const escaped = alternatives.map((one) => one.replace(/[^\w]/g, "\\$&")).join("|");
      const list = compileRegex(escaped);
      expect(list.literals).toEqual(alternatives);
      expect(list.matchesWhole(input)).toBe(compileRegex(`(?:${escaped})(?:)`).matchesWhole(input));
    }),
  );
});

test("a list with gaps matches the same texts as the expression that it is", () => {
  const text = fc.string({ maxLength: 4, unit: fc.constantFrom("a", "b", ".", "\n", "é", "😀") });
  const gap = fc.constantFrom("", ".*", ".+");
  fc.assert(
    fc.property(fc.array(fc.tuple(gap, text, gap), { minLength: 1, maxLength: 3 }), text, (alternatives, input) => {
      const source = alternatives.map(([before, one, after]) => before + one.replace(/\./g, "\\.") + after).join("|");
      const list = compileRegex(source);
      expect(list.isList).toBe(true);
      expect(list.matchesWhole(input)).toBe(compileRegex(`(?:${source})(?:)`).matchesWhole(input));
    }),
    { numRuns: 500 },
  );
});

describe("a list in parentheses, with more before and after it, is a list", () => {
  test.each([
    ["(cart|search)-.+", "search-1", true],
    ["(cart|search)-.+", "search-", false],
    ["pre-(?:a|b.*)", "pre-bc", true],
    ["x\\(a(b|c)", "x(ac", true],
    [".*(a|b)", "xb", true],
  ])("%j against %j: %s", (source, text, want) => {
    const regex = compileRegex(source);
    expect([regex.isList, regex.matchesWhole(text)]).toEqual([true, want]);
  });
  test.each(["(a.)*", "(a|b)+-", "x.(a|b)", "x|(a|b)y", "(a|b)(c|d)", "(?i:a|b)c", "[(a|b)]c", "a.+(b|c)"])(
    "%j is none",
    (source) => expect(compileRegex(source).isList).toBe(false),
  );
  test("one that would be much longer written out is none", () => {
    const [start, list] = ["a".repeat(100), (length: number) => Array.from({ length }, (_, i) => i).join("|")];
    expect([20, 50].map((length) => compileRegex(`${start}(${list(length)})`).isList)).toEqual([true, false]);
  });
  test("whatever is taken for a list is an expression that matches the same texts", () => {
    const sources = fc.string({ maxLength: 9, unit: fc.constantFrom(..."ab.+*?|()\\{-") });
    const texts = fc.array(fc.string({ maxLength: 6, unit: fc.constantFrom(..."ab-().") }), { minLength: 5 });
    fc.assert(
      fc.property(fc.tuple(sources, sources, sources), texts, ([start, list, end], inputs) => {
        const source = `${start}(${list})${end}`;
        if (!regexAlternatives(source)) return;
        const [regex, compiled] = [compileRegex(source), compileRegex(`(?:${source})(?:)`)];
        for (const input of inputs) expect(regex.matchesWhole(input)).toBe(compiled.matchesWhole(input));
      }),
      { numRuns: 2_000 },
    );
  });
});

test("a list may be long, with gaps, too, and is matched without compiling it", () => {
  const list = compileRegex(Array.from({ length: 10_000 }, (_, i) => `pod-${i}-.*`).join("|"));
  expect([list.literals, list.matchesWhole("pod-9999-x"), list.matchesWhole("pod-x")]).toEqual([
    undefined,
    true,
    false,
  ]);
});

test.each([
  ["a.c", "a\nc", true],
  ["a", "ab", false],
  [".*", "", true],
  [".+", "", false],
  [".+", "\n", true],
  [".+.+|", "😀", false],
  [".+.+|", "😀😀", true],
  ["(a+)+$", `${"a".repeat(5_000)}!`, false],
])("%j against %j: %s", (source, text, want) => expect(compileRegex(source).matchesWhole(text)).toBe(want));

test("matchesSomewhere looks inside", () => expect(compileRegex("b+").matchesSomewhere("abbc")).toBe(true));

test.each([
  ["(.*)-(.*)", "a-b", "$2/$1", "b/a"],
  ["(?P<first>a)b", "ab", "${first}!", "a!"],
  ["a|b", "b", "<$0>", "<b>"],
  ["a", "a", "$$ $9 $nope", "$  "],
  ["a", "b", "x", undefined],
])("%j replaces in %j by %j: %j", (source, text, replacement, want) =>
  expect(compileRegex(source).replaceWhole(text, replacement)).toBe(want),
);

test("what would take long to compile is refused, a long list is not", () => {
  expect(() => compileRegex(`(x)${"a?".repeat(10_000)}`)).toThrow(/at most 4096 are allowed/);
  const long = Array.from({ length: 10_000 }, (_, i) => `pod-${i}`).join("|");
  expect(compileRegex(long).matchesWhole("pod-9999")).toBe(true);
});

test.each([
  ["[0-9]+", "a1b22", "a<1>b<22>"],
  ["x*", "axxb", "a<xx>b"],
  ["b", "aaa", "aaa"],
  ["é+", "caféé!", "caf<éé>!"],
])("every match of %s in %s is replaced", (source, text, want) => {
  expect(compileRegex(source).replaceEach(text, (match) => `<${match}>`)).toBe(want);
});

test.each([
  ["x*", "axxb", "<$0>", "<>a<xx>b<>"],
  ["(?P<n>[0-9]+)", "a1b22", "${n}-$$", "a1-$b22-$"],
  ["b", "aaa", "x", "aaa"],
])("%s in %s is replaced by %s as in Go", (source, text, replacement, want) => {
  expect(compileRegex(source).replaceAll(text, replacement, false)).toBe(want);
});

test("literally, a replacement is what it is", () => {
  expect(compileRegex("a").replaceAll("aba", "$0", true)).toBe("$0b$0");
});

test("groups of the first match, by number and name", () => {
  const regex = compileRegex("(a)|(?P<word>b+)(c?)");
  expect(regex.groupNames()).toEqual(["", "", "word", ""]);
  expect(regex.find("xbb")).toEqual(["bb", "", "bb", ""]);
  expect(regex.find("x")).toBeUndefined();
  expect(compileRegex("x*").count("axxb")).toBe(3);
});

describe("of a long text only the beginning is looked at", () => {
  const LONG = `${"a ".repeat(50_000)}end`;
  test("as the limit on work says, and that is counted", () => {
    const regex = compileRegex("(\\w+)d$");
    expect(regex.matchesSomewhere(LONG)).toBe(true);
    expect(regex.find(LONG)).toEqual(["end", "en"]);
    const before = countCutTexts();
    limitRegexWork(1_000);
    expect(regex.matchesSomewhere(LONG)).toBe(false);
    expect(regex.find(LONG)).toBeUndefined();
    expect(compileRegex("a|end").replaceAll(LONG, "-", false).slice(-6)).toBe(" a end");
    expect(countCutTexts() - before).toBe(3);
    limitRegexWork(4_000_000);
  });

  test("but all of it where something must not be overlooked", () => {
    limitRegexWork(1_000);
    expect(
      compileRegex("e[n]d")
        .replaceEach(LONG, () => "***")
        .endsWith(" ***"),
    ).toBe(true);
    limitRegexWork(4_000_000);
  });
});

test("a long list of plain strings is found somewhere", () => {
  const list = compileRegex(Array.from({ length: 2_000 }, (_, i) => `error ${i};`).join("|"));
  const lines = ["an error 1999; here", "an error 2000; here"];
  expect(lines.map((line) => list.matchesSomewhere(line))).toEqual([true, false]);
});

test("matches that each look at all the rest of a text end, too", () => {
  const text = "a".repeat(400_000);
  const before = countCutTexts();
  expect(compileRegex("a[^x]*b|a").replaceAll(text, "-", true)).toHaveLength(text.length);
  expect(countCutTexts() - before).toBe(1);
});

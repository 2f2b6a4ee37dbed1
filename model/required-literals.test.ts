import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRegex } from "./regex.ts";
import { alternativesOf, requiredLiterals } from "./required-literals.ts";

test.each<[string, readonly string[]]>([
  ["needle", ["needle"]],
  ["status=50[0-9] duration_ms=1[0-9]{3}", ["status=50", " duration_ms=1"]],
  ["a.b", ["a", "b"]],
  ["abc?d", ["ab", "d"]],
  ["abc*", ["ab"]],
  ["abc+d", ["abc", "d"]],
  ["ab{2}c", ["a", "c"]],
  ["\\.com\\b", [".com"]],
  ["x(a|b)y", ["x", "y"]],
  ["x(?:a|b)?y", ["x", "y"]],
  ["^begin$", ["begin"]],
  ["a|b", []],
  ["(?i)abc", []],
  ["x(?i:abc)y", []],
  ["\\Qabc\\E", []],
  ["[]a]b", ["b"]],
  ["[[:alpha:]]b", []],
  ["", []],
])("every match of %j has %j", (source, want) => {
  expect(requiredLiterals(source)).toEqual(want);
});

test.each<[string, readonly string[]]>([
  ["a", ["a"]],
  ["a.*|b\\||[|]c", ["a.*", "b\\|", "[|]c"]],
  ["(a.*|b)", ["a.*", "b"]],
  ["(?:a|b(c|d))", ["a", "b(c|d)"]],
  ["(a|b)(c|d)", ["(a|b)(c|d)"]],
  ["(a|b)?", ["(a|b)?"]],
  ["(?i)a|b", ["(?i)a|b"]],
  ["a|", ["a", ""]],
])("what matches %j matches one of %j", (source, want) => {
  expect(alternativesOf(source)).toEqual(want);
});

test("a text that matches has them all", () => {
  const piece = fc.constantFrom(
    ..."ab.[(|)]?*+{}^\\".split(""),
    "[ab]",
    "[^a]",
    "(a|b)",
    "(?:ab)?",
    "{2}",
    "a{0,1}",
    "\\.",
    "\\w",
    "\\x61",
    "(?i)",
  );
  const source = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  const text = fc.stringMatching(/^[abAB.(x]{0,12}$/);
  fc.assert(
    fc.property(source, fc.array(text, { minLength: 1, maxLength: 20 }), (expression, texts) => {
      const regex = tryCompile(expression);
      if (!regex) return;
      for (const one of texts) {
        if (!regex.matchesSomewhere(one)) continue;
        for (const literal of requiredLiterals(expression)) expect(one).toContain(literal);
      }
    }),
    { numRuns: 1_000 },
  );
});

function tryCompile(source: string) {
  try {
    const regex = compileRegex(source);
    regex.matchesSomewhere("");
    return regex;
  } catch {
    return undefined;
  }
}

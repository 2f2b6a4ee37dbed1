import type { LineFilter } from "@sightline/model/line-filter.ts";
import { compileRegex } from "@sightline/model/regex.ts";
import { rounds } from "@sightline/model/testing/rounds.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exactLineQuery, hasLongWord, lineQuery, WORDS_ANALYSIS } from "./words.ts";

type Query = Readonly<Record<string, unknown>>;
type Bool = { readonly filter?: Query[]; readonly should?: Query[]; readonly must_not?: Query[] };

const WORDS = new RegExp(WORDS_ANALYSIS.tokenizer.sightline_words.pattern, "gu");

/** As Lucene's SimplePatternTokenizer does it, but for lone surrogates. */
function wordsOf(body: string): readonly string[] {
  return body.match(WORDS) ?? [];
}

function finds(query: Query, body: string): boolean {
  const [[kind, content]] = Object.entries(query) as [[string, Query]];
  const words = wordsOf(body);
  if (kind === "bool") {
    const { filter = [], should, must_not = [] } = content as Bool;
    if (must_not.some((part) => finds(part, body))) return false;
    return filter.every((part) => finds(part, body)) && (!should || should.some((part) => finds(part, body)));
  }
  if (kind === "match_all") return true;
  if (kind === "term" && "long_words" in content) return hasLongWord(body);
  const wanted = content.message as string | { readonly value: string };
  if (typeof wanted === "string") return words.includes(wanted);
  if (kind === "regexp") return words.some((word) => new RegExp(`^(?:${wanted.value})$`, "su").test(word));
  const text = wanted.value.replaceAll("*", "");
  if (kind === "prefix") return words.some((word) => word.startsWith(text));
  return words.some((word) => (wanted.value.endsWith("*") ? word.includes(text) : word.endsWith(text)));
}

const piece = fc.oneof(
  fc.constantFrom(
    "error",
    "Err",
    "a",
    "\u212a",
    "k",
    "_",
    " ",
    "=",
    "é",
    "😀",
    "\u0000",
    "\n",
    "x".repeat(250),
    "-",
    "[7]",
  ),
  fc.string({ unit: "grapheme", maxLength: 5 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));

test("every line that contains a text is found", () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (body, from, length) => {
      const start = from % (body.length + 1);
      const wanted = body.slice(start, start + (length % 40));
      const query = lineQuery({ op: "|=", text: wanted });
      expect(query === undefined || finds(query as Query, body)).toBe(true);
    }),
    { numRuns: rounds(500) },
  );
});

describe("what is asked for", () => {
  const asked = (filter: LineFilter) => JSON.stringify(lineQuery(filter));

  test.each<[string, string]>([
    [
      "connection refused",
      '[{"prefix":{"message":{"value":"refused"}}},{"wildcard":{"message":{"value":"*connection"}}}]',
    ],
    ["level=error msg", '[{"term":{"message":"error"}}]'],
    [" 500 ", '[{"term":{"message":"500"}}]'],
    ["time", '{"wildcard":{"message":{"value":"*time*"}}}'],
  ])("for %j: its words", (text, want) => expect(asked({ op: "|=", text })).toContain(want));

  test.each<[LineFilter]>([
    [{ op: "|=", text: "" }],
    [{ op: "|=", text: "=[]" }],
    [{ op: "|~", text: "[ab].*" }],
    [{ op: "|~", text: "warn|" }],
    [{ op: "!=", text: "two words" }],
    [{ op: "!~", text: "err.r" }],
    [{ op: "|=", text: "\ud83d" }],
  ])("for %j: every line", (filter) => expect(asked(filter)).toBeUndefined());

  test("for a regular expression that lists texts: any of them", () => {
    expect(asked({ op: "|~", text: "warn|panic" })).toContain("*warn*");
    expect(asked({ op: "|~", text: "warn|panic" })).toContain("*panic*");
  });

  test("for another regular expression: the texts that it needs", () => {
    const query = asked({ op: "|~", text: "timeout after \\d+ms .*refused" });
    expect(query).toContain('{"term":{"message":"after"}}');
    expect(query).toContain("*refused*");
  });

  test.each(["timeout.*ms|refused.*conn", "(timeout.*|refused .*)", "(?i)timeout.*|refused.*"])(
    "for alternatives, here %s: those of any",
    (source) => expect(asked({ op: "|~", text: source })).toMatch(/should.*(\*timeout|\[tT\]\[iI\]).*(refused|\[rR\])/),
  );
});

test("what is exact finds just the lines that the filter lets through", () => {
  const texts = ["", "a", "error", "é", "ERR", "=", "a b"];
  const expressions = [
    "err(or)?",
    "a+",
    "(?i)ERR[a-z]r",
    "[e-r]{2,3}r",
    "\\d|err",
    "(?:x|é)+?",
    "(?i)k",
    "a|error",
    "a*",
    "^a",
  ];
  const filters = [
    ...texts.flatMap((text) => [{ op: "|=", text } as const, { op: "!=", text } as const]),
    ...expressions.flatMap((text) => [{ op: "|~", text } as const, { op: "!~", text } as const]),
  ];
  const body = fc.oneof(text, fc.constantFrom("Error", "kelvin \u212a", "\u212a", "terror 7", "rrr aerr", "b"));
  fc.assert(
    fc.property(body, fc.constantFrom(...filters), (line, filter) => {
      const query = exactLineQuery(filter);
      fc.pre(query !== undefined && !hasLongWord(line));
      expect(finds(query as Query, line)).toBe(letsThrough(filter, line));
    }),
    { numRuns: rounds(750) },
  );
});

function letsThrough({ op, text: wanted }: LineFilter, line: string): boolean {
  const found = op === "|=" || op === "!=" ? line.includes(wanted) : compileRegex(wanted).matchesSomewhere(line);
  return found === (op === "|=" || op === "|~");
}

test("every line that a regular expression matches is found", () => {
  const expression = fc.constantFrom(
    "err.r",
    "a+ error",
    "x{250}",
    "(a|b)error",
    "é\\W+",
    "error=",
    "(?i)ERROR",
    "(?i)ERR=|é a.*é",
    "(?i)a k.*",
    "a_?-error",
    "error.*a|é+ a",
    "(?:a.?-|err.* )",
  );
  fc.assert(
    fc.property(text, expression, (body, source) => {
      const query = lineQuery({ op: "|~", text: source });
      fc.pre(compileRegex(source).matchesSomewhere(body));
      expect(query === undefined || finds(query as Query, body)).toBe(true);
    }),
    { numRuns: rounds(250) },
  );
});

test.each(["\ud800 error", "error\udc00", "é".repeat(250)])("%j is looked at in any case", (line) => {
  expect(hasLongWord(line)).toBe(true);
});
test.each(["", "😀 error", "x".repeat(249)])("%j is not", (line) => {
  expect(hasLongWord(line)).toBe(false);
});

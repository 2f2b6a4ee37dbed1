import fc from "fast-check";
import { expect, test } from "vitest";
import { LetterGrams } from "./letter-grams.ts";

function gramsOf(...texts: readonly string[]): LetterGrams {
  const grams = new LetterGrams();
  for (const text of texts) grams.add(Buffer.from(text));
  return grams;
}

test.each([
  ["request completed", "complete", true],
  ["request completed", "COMPLETE", true],
  ["request completed", "such", false],
  ["request completed", "no-such-word", false],
  ["request completed", "estc", false],
  ["request completed", "xyz", true],
  ["größe", "gröss", true],
  ["naïveword", "veword", true],
  ["", "abcd", false],
])("%j may have %j: %s", (text, part, want) => {
  expect(gramsOf(text).mayHave(part)).toBe(want);
});

test("whatever is in a text is never said to be absent, also after merges", () => {
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[a-zA-Z -]{0,40}$/));
  fc.assert(
    fc.property(text, text, fc.nat(), fc.nat(), (a, b, from, length) => {
      const merged = gramsOf(a);
      merged.merge(gramsOf(b));
      const part = b.slice(from % (b.length + 1)).slice(0, length % 20);
      expect(merged.mayHave(part)).toBe(true);
      expect(merged.mayHave(a)).toBe(true);
    }),
  );
});

import { LinePatternMiner } from "@sightline/storage-embedded/patterns/line-pattern-miner.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePattern } from "../logql/pipeline/pattern.ts";

const PIECES = [
  ..."ab12.:-_ =,\"'<>[](){}/|&?\n\t\u001b\u0000",
  "é",
  "日本",
  "😀",
  "<_>",
  "<a>",
  "\u001b[31m",
  "10:20",
  "::",
  "error",
  "user",
];
const line = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 40 }).map((pieces) => pieces.join(""));
const longLine = fc.tuple(line, fc.integer({ min: 1, max: 120 })).map(([text, times]) => text.repeat(times));

test("a pattern filter with the pattern of a line matches the line, and no line is lost", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 9, arbitrary: line }, longLine), { minLength: 1, maxLength: 60 }),
      (lines) => {
        const miner = new LinePatternMiner();
        for (const each of lines) miner.add(each, "info", 0);
        const found = miner.patterns().map(({ pattern, counts }) => {
          const parsed = parsePattern(pattern);
          parsed.checkUnnamed();
          return { pattern, parsed, count: counts[0] as number };
        });
        expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(lines.length);
        for (const { pattern, parsed, count } of found) {
          const matched = lines.filter((each) => parsed.matches(each)).length;
          if (matched < count) throw new Error(`${JSON.stringify(pattern)} matches ${matched} of ${count} lines`);
        }
        for (const each of lines) {
          if (!found.some(({ parsed }) => parsed.matches(each)))
            throw new Error(`nothing matches ${JSON.stringify(each)}`);
        }
      },
    ),
    { numRuns: 500 },
  );
});

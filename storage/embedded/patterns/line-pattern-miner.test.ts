import { expect, test } from "vitest";
import { LinePatternMiner } from "./line-pattern-miner.ts";

function patternsOf(lines: readonly string[]): string[] {
  const miner = new LinePatternMiner();
  for (const line of lines) miner.add(line, "info", 0);
  return miner
    .patterns()
    .map(({ pattern }) => pattern)
    .sort();
}

test.each<[what: string, lines: readonly string[], patterns: readonly string[]]>([
  ["numbers and ids", ["took 12ms for user u-17", "took 9.5ms for user u-4711"], ["took <_> for user <_>"]],
  ["times and addresses", ["12:30:59 10.0.0.1:8080 up"], ["<_> <_> up"]],
  ["a port behind a name", ["dial db:5432 failed"], ["dial db:<_> failed"]],
  ["words with one digit", ["GET /api/v1/users in k8s on s3"], ["GET /api/v1/users in k8s on s3"]],
  ["logfmt", ['level=info status=200 msg="ok then"'], ['level=info status=<_> msg="ok then"']],
  ["JSON", ['{"status":200,"id":"a81f","msg":"done"}'], ['{"status":<_>,"id":"<_>","msg":"done"}']],
  ["colours", ["\u001b[31mERROR\u001b[0m at 17"], ["\u001b[31mERROR\u001b[0m at <_>"]],
  ["what would read as a capture", ["parse <title> and <_> now"], ["parse <<_>> and <<_>> now"]],
  ["several lines", ["panic: index out of range\n goroutine 17"], ["panic: index out of range\n<_>"]],
  ["characters beyond ASCII", ["користувач 17 увійшов", "користувач 4 увійшов"], ["користувач <_> увійшов"]],
  ["a line of blanks", ["   "], ["   "]],
  [
    "messages of their own",
    ["cache is cold", "order was placed", "cache is warm"],
    ["cache is cold", "cache is warm", "order was placed"],
  ],
])("%s", (_, lines, patterns) => {
  expect(patternsOf(lines)).toEqual(patterns);
});

test("words that are always new become variables", () => {
  const word = (i: number) => [...String(i)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const patterns = patternsOf(Array.from({ length: 500 }, (_, i) => `user ${word(i)} has logged in`));
  expect(patterns).toContain("user <_> has logged in");
  expect(patterns.length).toBeLessThan(20);
});

test("lines without anything in common make a bounded number of patterns", () => {
  const word = (i: number) => [...String(i)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const lines = Array.from({ length: 5_000 }, (_, i) => `${word(i)} ${word(i * 7)} ${word(i * 13)}`);
  expect(patternsOf(lines).length).toBeLessThanOrEqual(40);
});

test("of a huge line only the beginning is looked at", () => {
  const [pattern = ""] = patternsOf([`begin ${"x".repeat(10_000_000)}`]);
  expect(pattern).toBe("begin <_>");
  expect(patternsOf([`${"word ".repeat(1_000_000)}`])[0]?.length).toBeLessThan(600);
});

test("counts by level and time", () => {
  const miner = new LinePatternMiner();
  miner.add("a b", "info", 1_000);
  miner.add("a b", "info", 9_999);
  miner.add("a b", "error", 25_000);
  miner.add("a b", "info", 30_000);
  const found = miner.patterns().map(({ level, timesMs, counts }) => [level, [...timesMs], [...counts]]);
  expect(found).toEqual([
    ["info", [0, 30_000], [2, 1]],
    ["error", [20_000], [1]],
  ]);
});

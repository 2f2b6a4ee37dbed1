import { readFileSync } from "node:fs";
import { parser } from "@grafana/lezer-logql";
import { expect, test } from "vitest";
import { parseUnchecked } from "./parse-logql.ts";

const MAX_BYTES = 100_000;

/** Queries, one a line; those after a line `# refused` are no LogQL. */
const [VALID = [], REFUSED = []] = readFileSync(new URL("crosscheck-corpus.txt", import.meta.url), "utf8")
  .split("# refused\n")
  .map((part) => part.split("\n").filter((line) => line !== "" && !line.startsWith("#")));

/** Where Grafana's grammar, made for editors, says otherwise than Loki. */
const LEZER_IS_WRONG: ReadonlySet<string> = new Set([
  // Two label filters next to each other.
  '{service_name="web-logfmt"} | logfmt | level="warn" method="POST"',
  // Numbers in Go's other forms; and hexadecimal ones that are none.
  '{service_name="web-logfmt"} | logfmt | counter >= 0x1p2',
  "1_000",
  '{a="b"} | json | x > 0x10',
  // An unwrapped range with an offset.
  'sum_over_time({service_name="counter"} | logfmt | keep total | unwrap total [1m] offset 1m)',
  "{}",
  // Expressions, patterns and strings are not looked into.
  '{a=~"("}',
  '{a="b"} | regexp "x"',
  '{a="b"} | regexp "("',
  '{a="b"} | regexp "(?P<x>a)(?P<x>b)"',
  '{a="b"} | pattern "x"',
  '{a="b"} | pattern "<a><b>"',
  '{a="b"} | pattern "<a> <a>"',
  '{a="\\q"}',
]);

function lezerReads(text: string): boolean {
  let isRead = true;
  parser.parse(text).iterate({
    enter: ({ type }) => {
      if (type.isError) isRead = false;
    },
  });
  return isRead;
}

function weRead(text: string): boolean {
  try {
    parseUnchecked(text, MAX_BYTES);
    return true;
  } catch {
    return false;
  }
}

test.each(VALID)("read: %s", (text) => {
  expect(weRead(text)).toBe(true);
  expect(lezerReads(text)).toBe(!LEZER_IS_WRONG.has(text));
});
test.each(REFUSED)("refused: %s", (text) => {
  expect(weRead(text)).toBe(false);
  expect(lezerReads(text)).toBe(LEZER_IS_WRONG.has(text));
});

test("every difference is in the corpus", () => {
  for (const text of LEZER_IS_WRONG) expect([...VALID, ...REFUSED]).toContain(text);
});

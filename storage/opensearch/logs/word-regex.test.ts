import { expect, test } from "vitest";
import { wordRegex } from "./word-regex.ts";

test.each([
  ["error", ".*(error).*"],
  ["err(or)?", ".*(err(or)?).*"],
  ["(?:a|b)+?", ".*((a|b)+).*"],
  ["user[0-9a-f]{2,8}", ".*(user[0-9a-f]{2,8}).*"],
  ["\\d+ms", ".*([0-9]+ms).*"],
  ["[\\w]x", ".*([0-9A-Za-z_]x).*"],
  ["(?i)sky", ".*([sS\u017f][kK\u212a][yY]).*"],
  ["(?i)[a-k]", ".*([a-kA-K\u212a]).*"],
])("%s is %s in Lucene's syntax", (source, want) => expect(wordRegex(source)).toBe(want));

test.each([
  "^error",
  "err.r",
  "a b",
  "a-b",
  "[^a]",
  "[a-Z]",
  "[Z-a]",
  "\\bword\\b",
  "\\s",
  "a|",
  "(?s)a",
  "(?P<n>a)",
  "a{60}",
  "a**",
  "(a",
  "a)",
  "[a",
  "(?i)\\w",
  "(?i)\u00e9",
])("%s may match more than a part of a word", (source) => expect(wordRegex(source)).toBeUndefined());

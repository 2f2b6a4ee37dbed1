import { expect, test } from "vitest";
import { literalPrefix } from "./find-series.ts";

test.each([
  ["http.*", "http"],
  ["http_requests_(total|sum)", ""],
  ["http_requests_[a-z]+", "http_requests_"],
  ["abc?", "ab"],
  ["abc*d", "ab"],
  ["abc{0,1}", "ab"],
  ["abc+", "abc"],
  ["a|b", ""],
  [".*x", ""],
  ["(?i)http", ""],
  ["\\Qa\\E.*", ""],
  ["", ""],
])("every match of %j begins with %j", (source, want) => {
  expect(literalPrefix(source)).toBe(want);
});

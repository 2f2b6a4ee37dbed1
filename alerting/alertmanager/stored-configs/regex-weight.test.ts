import { expect, test } from "vitest";
import { regexWeight } from "./regex-weight.ts";

test.each([
  [{ route: { matchers: ["a=b"] } }, 0],
  [{ route: { matchers: ['a=~"b.c"'] } }, 23],
  [{ route: { routes: [{ matchers: ['{a=~"b.c"}', "c!~d?"] }] } }, 23 + 22],
  [{ inhibit_rules: [{ source_match_re: { a: "x(a{20}){20}" } }] }, 20 + 401],
  [{ route: { match_re: { a: "(a{3}b){2,4}" } } }, 20 + 16],
  [{ route: { matchers: ['a=~"b|c|d.*"'] } }, 20],
  [{ route: { match_re: { a: "\\(x\\)\\{5\\}+" } } }, 20 + 7],
  [{ receivers: [{ name: "a=~b+" }] }, 0],
  [{ route: { match_re: { a: "((((" } } }, 20],
])("of %j: %d", (config, weight) => expect(regexWeight(config)).toBe(weight));

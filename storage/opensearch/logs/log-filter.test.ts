import type { FieldFilter } from "@sightline/model/log-store.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { describe, expect, test } from "vitest";
import { logFilter } from "./log-filter.ts";

const queryOf = (conditions: object) => {
  const { must, mustNot } = logFilter({ matchers: [], line: [], ...conditions });
  return { must, mustNot };
};
const has = (text: string) => ({ prefix: { labels: { value: text } } });
const any = (...texts: readonly string[]) => ({ terms: { labels: texts } });
const orLacks = (...texts: readonly string[]) => ({
  bool: { should: [any(...texts), { bool: { must_not: [has("app=")] } }], minimum_should_match: 1 },
});

describe("of a stream's label OpenSearch is asked for", () => {
  test.each<[Matcher["op"], string, readonly object[], readonly object[]]>([
    ["=", "a", [any("app=a")], []],
    ["=", "", [orLacks()], []],
    ["!=", "a", [], [any("app=a")]],
    ["!=", "", [has("app=")], [any()]],
    ["=~", "a|b", [any("app=a", "app=b")], []],
    ["=~", "a|", [orLacks("app=a")], []],
    ["!~", "a|b", [], [any("app=a", "app=b")]],
    ["!~", "a|", [has("app=")], [any("app=a")]],
    ["=~", "web-.*", [has("app=web-")], []],
    ["=~", "[ab].+", [has("app=")], []],
    ["=~", ".*", [], []],
    ["!~", ".*", [has("app=")], []],
    ["!~", "[ab].+", [], []],
    // Others may share its token.
    ["!=", "x".repeat(2_000), [], []],
  ])("%s %j", (op, value, must, mustNot) => {
    expect(queryOf({ matchers: [{ name: "app", op, value }] })).toEqual({ must, mustNot });
  });
});

describe("of a label that an attribute makes", () => {
  const asked = (filter: FieldFilter) => JSON.stringify(queryOf({ fields: [filter] }).must);

  test("all names that it may have", () => {
    expect(asked({ name: "http_status_code", value: "5.0" })).toContain(
      JSON.stringify("http[^a-zA-Z0-9]+status[^a-zA-Z0-9]+code=5\\.0"),
    );
    expect(asked({ name: "trace_id", value: "abc" })).toContain('{"term":{"trace_id":"abc"}}');
  });

  test.each<FieldFilter>([
    { name: "a", op: "!=", value: "b" },
    { name: "a", op: "=~", value: "b.+" },
    { name: "a", value: "" },
    { name: "a", value: "b".repeat(500) },
    { name: "a_".repeat(90), value: "b" },
    { name: "detected_level", value: "error" },
    { name: "a_extracted", value: "b" },
    { name: "key_1", value: "b" },
    { name: "__error__", value: "b" },
  ])("nothing for %j", (filter) => expect(asked(filter)).toBe("[]"));
});

test("no query is more than OpenSearch takes", () => {
  const line = Array.from({ length: 3_000 }, (_, i) => ({ op: "|=" as const, text: `word${i}` }));
  const value = Array.from({ length: 20_000 }, (_, i) => `v${i}`).join("|");
  const { must } = queryOf({ line, matchers: [{ name: "app", op: "=~", value }] });
  expect(must.length).toBeLessThanOrEqual(100);
  expect(JSON.stringify(must).length).toBeLessThan(50_000);
});

test.each([
  { matchers: [{ name: "a", op: "=~" as const, value: "(" }] },
  { line: [{ op: "|~" as const, text: "(" }] },
  { attributes: [{ name: "a", op: "!~" as const, value: "(" }] },
])("%j is refused", (conditions) => {
  expect(() => queryOf(conditions)).toThrow(/regular expression/);
});

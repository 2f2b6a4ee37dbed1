import { expect, test } from "vitest";
import { parsePromql } from "./parse-promql.ts";
import { ParsedTexts } from "./parsed-texts.ts";

test("what was parsed lately is not parsed again, and what is wrong never becomes right", () => {
  const queries = new ParsedTexts((text) => parsePromql(text, {}));
  expect(queries.parse("sum(up)")).toBe(queries.parse("sum(up)"));
  expect(queries.parse("sum(up)")).not.toBe(queries.parse("sum( up)"));
  for (let round = 0; round < 2; round++) expect(() => queries.parse("sum(")).toThrow("parse error");
});

test("only so many are kept, and no long ones", () => {
  const queries = new ParsedTexts((text) => parsePromql(text, {}));
  const long = `up{a="${"x".repeat(2_000)}"}`;
  expect(queries.parse(long)).not.toBe(queries.parse(long));
  const first = queries.parse("first");
  const text = (i: number) => `up{a="${i}${"x".repeat(1_900)}"}`;
  for (let i = 0; i < 200; i++) queries.parse(text(i));
  expect(queries.parse("first")).toBe(first);
  for (let i = 200; i < 300; i++) queries.parse(text(i));
  expect(queries.parse("first")).not.toBe(first);
});

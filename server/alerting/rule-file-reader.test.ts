import { RuleFileError } from "@sightline/alerting/rules/parse-rule-file.ts";
import { expect, test } from "vitest";
import { ruleFileReader } from "./rule-file-reader.ts";

const read = ruleFileReader(10_000);
const groups = (count: number) =>
  Array.from({ length: count }, (_, i) => `- {name: g${i}, rules: [{record: r${i}, expr: 'sum(x_${i})'}]}`).join("\n");

test.each([1, 1_000])("%d groups are read, wherever that is done", async (count) => {
  const found = await read(`groups:\n${groups(count)}`);
  expect(found.map(({ name }) => name)).toEqual(Array.from({ length: count }, (_, i) => `g${i}`));
  expect(found.at(-1)?.rules[0]?.expression.reads).toEqual(new Set([`x_${count - 1}`]));
});

test.each([
  [
    "a wrong expression",
    `groups:\n${groups(1_000)}\n- {name: bad, rules: [{record: a, expr: 'sum('}]}`,
    "could not parse expression",
  ],
  ["deep lists", `groups: ${"[".repeat(20_000)}`, "yaml: "],
  [
    "more aliases than anybody reads",
    `groups: [&g {name: g, rules: &r [${"{record: a, expr: b},".repeat(2_000)}]}, ${"{name: h, rules: *r},".repeat(2_000)}]`,
    "excessive aliasing",
  ],
  ["an alias within itself", `groups: &g [${"*g,".repeat(10_000)}]`, "yaml: "],
  [
    "many keys",
    `groups: [{name: g, labels: {${Array.from({ length: 20_000 }, (_, i) => `l${i}: v`)}}, every: 1m}]`,
    "field every not found",
  ],
])("%s are refused", async (_, text, problem) => {
  const error = await read(text).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RuleFileError);
  expect((error as Error).message).toContain(problem);
});

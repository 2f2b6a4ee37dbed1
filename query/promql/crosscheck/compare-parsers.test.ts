import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseScript } from "../promqltest/parse-script.ts";
import { compareParsers, KNOWN_DIFFERENCES } from "./compare-parsers.ts";

const OWN_SCRIPTS = join(import.meta.dirname, "../testdata");
/** Prometheus' own scripts, where somebody has put them beside the checkout. */
const SHARED_SCRIPTS = join(import.meta.dirname, "../../../../shared/promqltest");

function queriesOfScripts(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".test"))
    .flatMap((name) => parseScript(readFileSync(join(directory, name), "utf8")))
    .flatMap((command) => (command.kind === "eval" ? [command.text] : []));
}

function queriesOfCorpus(): string[] {
  const lines = readFileSync(join(import.meta.dirname, "corpus.txt"), "utf8").split("\n");
  return lines.slice(1).filter((line) => line !== "");
}

function unexplained(queries: readonly string[]): string[] {
  return [...new Set(queries)].flatMap((query) => {
    const { agree, difference, ours, theirs } = compareParsers(query);
    return agree || difference
      ? []
      : [`${query}\n  ours: ${JSON.stringify(ours)}\n  theirs: ${JSON.stringify(theirs)}`];
  });
}

test("both parsers read the corpus alike but for known differences", () => {
  expect(unexplained(queriesOfCorpus())).toEqual([]);
});

test("both parsers read the scripts alike but for known differences", () => {
  expect(unexplained(queriesOfScripts(OWN_SCRIPTS))).toEqual([]);
});

test.skipIf(!existsSync(SHARED_SCRIPTS))(
  "both parsers read Prometheus' scripts alike but for known differences",
  () => {
    expect(unexplained(queriesOfScripts(SHARED_SCRIPTS))).toEqual([]);
  },
);

test.each(KNOWN_DIFFERENCES.flatMap((entry) => entry.examples.map((example) => [entry.id, example] as const)))(
  "the table's entry %s still explains %s",
  (id, example) => expect(compareParsers(example)).toMatchObject({ agree: false, difference: { id } }),
);

test("parentheses that were written make no difference, those that were not do", () => {
  expect(compareParsers("(a + b) * c").ours).not.toEqual(compareParsers("a + b * c").ours);
  expect(compareParsers("(a * b) + c").ours).toEqual(compareParsers("a * b + c").ours);
});

test("a text too long for the second parser is not its to judge", () => {
  const { ours, theirs } = compareParsers(`x{a="${"b".repeat(20_000)}"}`);
  expect(ours.accepted).toBe(true);
  expect(theirs).toEqual({ accepted: false, error: "not asked: 20007 bytes of at most 16384" });
});

test("deep nesting does not take the second parser down", () => {
  compareParsers(`${"(".repeat(8_000)}x${")".repeat(8_000)}`);
  expect(compareParsers("x").agree).toBe(true);
});

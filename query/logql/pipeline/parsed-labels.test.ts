import fc from "fast-check";
import { expect, test } from "vitest";
import { ParsedLabels } from "./parsed-labels.ts";

const name = fc.constantFrom("a", "b", "c", "d");
const step = fc.oneof(fc.tuple(fc.constant("set"), name, fc.string()), fc.tuple(fc.constant("delete"), name));
const lines = fc.array(fc.array(step, { maxLength: 8 }), { maxLength: 6 });

test("from line to line they are what a map would have been, and sorted by name", () => {
  fc.assert(
    fc.property(lines, (steps) => {
      const labels = new ParsedLabels();
      for (const line of steps) {
        labels.clear();
        const expected = new Map<string, string>();
        for (const [kind, name, value = ""] of line) {
          if (kind === "set") labels.set(name as string, value);
          else labels.delete(name as string);
          if (kind === "set") expected.set(name as string, value);
          else expected.delete(name as string);
        }
        expect([...labels]).toEqual([...expected]);
        expect(labels.sorted()).toEqual([...expected].sort(([a], [b]) => (a < b ? -1 : 1)));
        expect(labels.size).toBe(expected.size);
        for (const name of ["a", "b", "c", "d"]) {
          expect([labels.get(name), labels.has(name)]).toEqual([expected.get(name), expected.has(name)]);
        }
      }
    }),
  );
});

test("names of lines that have thousands are forgotten, and what comes then is right", () => {
  const labels = new ParsedLabels();
  for (let i = 0; i < 10_000; i++) labels.set(`name${i}`, String(i));
  expect(labels.size).toBe(10_000);
  labels.clear();
  labels.set("name7", "other");
  expect([labels.get("name7"), labels.get("name8"), labels.sorted()]).toEqual([
    "other",
    undefined,
    [["name7", "other"]],
  ]);
});

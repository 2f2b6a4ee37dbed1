import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogEntry } from "../logql/result.ts";
import { ShownLines } from "./shown-lines.ts";

const entry = (line: string, app = "a"): LogEntry => ({
  timeNs: 1n,
  line,
  stream: [["app", app]],
  metadata: [],
  parsed: [],
});
const linesOf = (entries: readonly LogEntry[]) => entries.map(({ line }) => line);

test("what the feed gave the store does not show again, and the other way round", () => {
  const shown = new ShownLines();
  expect(shown.isNew(entry("a"))).toBe(true);
  expect(linesOf(shown.newOf([entry("a"), entry("b")]))).toEqual(["b"]);
  expect(shown.isNew(entry("b"))).toBe(false);
  expect(shown.newOf([entry("a"), entry("b")])).toEqual([]);
});

test("equal lines of other streams are others", () => {
  const shown = new ShownLines();
  expect(shown.isNew(entry("a", "one"))).toBe(true);
  expect(shown.newOf([entry("a", "one"), entry("a", "two")])).toMatchObject([{ stream: [["app", "two"]] }]);
});

test("each line is shown as often as it came, however feed and store take turns", () => {
  const letter = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    fc.record({ comes: letter, isFed: fc.boolean() }),
    fc.constant("look" as const),
    fc.constant("feed catches up" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const shown = new ShownLines();
      const [stored, late, got]: [string[], string[], string[]] = [[], [], []];
      const give = (line: string) => void (shown.isNew(entry(line)) && got.push(line));
      for (const step of steps) {
        if (step === "look") got.push(...linesOf(shown.newOf(stored.map((line) => entry(line)))));
        else if (step === "feed catches up") for (const line of late.splice(0)) give(line);
        else {
          stored.push(step.comes);
          if (step.isFed) give(step.comes);
          else late.push(step.comes);
        }
      }
      got.push(...linesOf(shown.newOf(stored.map((line) => entry(line)))));
      for (const line of late) give(line);
      expect(got.toSorted()).toEqual(stored.toSorted());
    }),
  );
});

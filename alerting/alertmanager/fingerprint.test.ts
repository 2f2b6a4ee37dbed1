import { expect, test } from "vitest";
import { fingerprint } from "./fingerprint.ts";
import { compareLabelMaps, labelMap } from "./labels.ts";

// From Alertmanager 0.34's API.
test.each([
  [{ foo: "bar", severity: "x" }, "375000a7e243dceb"],
  [{}, "cbf29ce484222325"],
])("%j is named %s", (labels, name) => {
  expect(fingerprint(labelMap(labels))).toBe(name);
});

test("labels named like members of objects are labels", () => {
  const labels = labelMap([
    ["constructor", "a"],
    ["__proto__", "b"],
  ]);
  expect(labels.constructor).toBe("a");
  expect(labelMap([]).toString).toBeUndefined();
  expect(fingerprint(labels)).toHaveLength(16);
});

test.each([
  [{ b: "1" }, { a: "1", b: "1" }, -1],
  [{ b: "1" }, { a: "1" }, -1],
  [{ a: "1" }, { a: "2" }, -1],
  [{ a: "1" }, { a: "1" }, 0],
])("%j and %j are in order %d", (a, b, order) => {
  expect(Math.sign(compareLabelMaps(labelMap(a), labelMap(b)))).toBe(order);
  expect(Math.sign(compareLabelMaps(labelMap(b), labelMap(a)))).toBe(order === 0 ? 0 : -order);
});

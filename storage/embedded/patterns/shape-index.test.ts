import fc from "fast-check";
import { expect, test } from "vitest";
import { ShapeIndex } from "./shape-index.ts";

test("finds what was put in last, and nothing else", () => {
  const hash = fc.integer({ min: -5, max: 5 });
  fc.assert(
    fc.property(fc.array(fc.tuple(hash, hash, fc.nat(1_000))), (entries) => {
      const index = new ShapeIndex(1_000);
      const wanted = new Map<string, number>();
      for (const [a, b, value] of entries) {
        index.set(a * 64, b, value);
        wanted.set(`${a},${b}`, value);
      }
      expect(index.size).toBe(wanted.size);
      for (let a = -5; a <= 5; a++) {
        for (let b = -5; b <= 5; b++) expect(index.get(a * 64, b)).toBe(wanted.get(`${a},${b}`) ?? -1);
      }
    }),
  );
});

test("begins anew when it is full", () => {
  const index = new ShapeIndex(100);
  for (let i = 0; i < 1_000; i++) index.set(i, i, i);
  expect(index.size).toBeLessThanOrEqual(100);
  expect(index.get(999, 999)).toBe(999);
  expect(index.get(0, 0)).toBe(-1);
});

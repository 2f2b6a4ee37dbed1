import { expect, test } from "vitest";
import { ByteCache } from "./byte-cache.ts";

const part = (bytes: number) => ({ bytes });

test("lets go of what was not used for longest when there is no room", () => {
  const cache = new ByteCache<{ bytes: number }>(30);
  for (const key of ["a", "b", "c"]) cache.set(key, part(10));
  cache.set("d", part(10));
  cache.get("b");
  cache.set("e", part(10));
  expect(["a", "b", "c", "d", "e"].filter((key) => cache.get(key))).toEqual(["b", "d", "e"]);
  expect(cache.bytes).toBe(30);
});

test("does not keep what is larger than all of it", () => {
  const cache = new ByteCache<{ bytes: number }>(30);
  cache.set("a", part(10));
  cache.set("huge", part(31));
  expect([cache.get("huge"), cache.bytes <= 30]).toEqual([undefined, true]);
});

test("a part that is set again counts once", () => {
  const cache = new ByteCache<{ bytes: number }>(30);
  cache.set("a", part(10));
  cache.set("a", part(20));
  expect(cache.bytes).toBe(20);
  cache.delete("a");
  expect(cache.bytes).toBe(0);
});

test("shrinks to half, and never below an eighth of its size", () => {
  const cache = new ByteCache<{ bytes: number }>(100);
  for (let i = 0; i < 10; i++) cache.set(String(i), part(10));
  cache.shrink();
  expect(cache.bytes).toBe(50);
  for (let i = 0; i < 10; i++) cache.shrink();
  expect(cache.bytes).toBe(10);
});

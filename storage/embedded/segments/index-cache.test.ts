import { expect, test } from "vitest";
import { IndexCache } from "./index-cache.ts";

test("loads what is asked for at the same time once, and what failed again", async () => {
  const cache = new IndexCache<string>(100);
  let loads = 0;
  const load = async () => ({ value: `load ${++loads}`, bytes: 1 });
  expect(await Promise.all([cache.get(1, load), cache.get(1, load)])).toEqual(["load 1", "load 1"]);
  await expect(cache.get(2, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await cache.get(2, load)).toBe("load 2");
});

test("forgets what has not been used for longest when it is full", async () => {
  const cache = new IndexCache<string>(100);
  const loaded: number[] = [];
  const get = (key: number) =>
    cache.get(key, async () => {
      loaded.push(key);
      return { value: "", bytes: 40 };
    });
  for (const key of [1, 2, 1, 3, 1, 2]) await get(key);
  expect(loaded).toEqual([1, 2, 3, 2]);
});

test("keeps an eighth, of what was used last, however often it is asked to shrink", async () => {
  const cache = new IndexCache<number>(80);
  for (let key = 0; key < 8; key++) await cache.get(key, async () => ({ value: key, bytes: 10 }));
  for (let i = 0; i < 10; i++) cache.shrink();
  expect(cache.bytes).toBe(10);
  expect(await cache.get(7, () => Promise.reject(new Error("was forgotten")))).toBe(7);
});

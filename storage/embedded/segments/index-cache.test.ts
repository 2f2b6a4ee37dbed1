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

import type { Awaitable } from "./awaitable.ts";

const AT_A_TIME = 8;

/** Calls a function for each item, waiting for some at a time. Results are in the order of the items. */
export function mapSome<T, R>(
  items: readonly T[],
  call: (item: T, place: number) => Awaitable<R>,
  atATime = AT_A_TIME,
): Awaitable<R[]> {
  const results: R[] = [];
  for (let place = 0; place < items.length; place++) {
    const result = call(items[place] as T, place);
    if (result instanceof Promise) return waitForRest(items, call, atATime, results, result);
    results.push(result);
  }
  return results;
}

/** `first` is what the item after those of `results` has to wait for. */
async function waitForRest<T, R>(
  items: readonly T[],
  call: (item: T, place: number) => Awaitable<R>,
  atATime: number,
  results: R[],
  first: Promise<R>,
): Promise<R[]> {
  let some: Awaitable<R>[] = [first];
  for (let place = results.length + 1; place < items.length; place++) {
    if (some.length === atATime) {
      results.push(...(await Promise.all(some)));
      some = [];
    }
    some.push(call(items[place] as T, place));
  }
  results.push(...(await Promise.all(some)));
  return results;
}

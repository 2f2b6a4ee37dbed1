import { GoMap, type GoValue, Int64, isList } from "./go-value.ts";

/** What `range` goes through, each with its key, maps in the order of their keys; undefined for what it can't. */
export function elementsOf(value: GoValue): Iterable<readonly [key: GoValue, element: GoValue]> | undefined {
  if (value === null) return [];
  if (isList(value)) return numbered(value);
  if (value instanceof GoMap) return entriesOf(value);
  if (typeof value === "bigint") return countTo(value);
  return value instanceof Int64 ? countTo(value.value) : undefined;
}

function* numbered(list: Iterable<GoValue>): Generator<[GoValue, GoValue]> {
  let i = 0n;
  for (const element of list) yield [i++, element];
}

function* entriesOf(map: GoMap): Generator<[GoValue, GoValue]> {
  for (const key of map.sortedKeys()) yield [key, map.get(key)];
}

/** An integer counts from 0. Made one by one: there may be any number of them. */
function* countTo(count: bigint): Generator<[GoValue, GoValue]> {
  for (let i = 0n; i < count; i++) yield [i, i];
}

import { GoMap, type GoValue, isList } from "@sightline/model/go-template/go-value.ts";

/** Values that one made by a template may have in it, each time they occur. */
const MAX_WEIGHT = 100_000;
const weights = new WeakMap<object, number>();

/**
 * Says how many values a list or map has in it, and throws when it is too many: `list $a $a`, repeated, costs nothing to
 * make and everything to print.
 */
export function weighed<T extends readonly GoValue[] | GoMap>(made: T): T {
  const parts: readonly GoValue[] = made instanceof GoMap ? [...made.entries.values()] : (made as readonly GoValue[]);
  let weight = 1;
  for (const part of parts) weight += weightOf(part);
  if (weight > MAX_WEIGHT) throw new Error(`more than ${MAX_WEIGHT} values in one`);
  weights.set(made, weight);
  return made;
}

function weightOf(value: GoValue): number {
  if (typeof value !== "object" || value === null) return 1;
  const known = weights.get(value);
  if (known !== undefined) return known;
  if (isList(value)) return 1 + value.length;
  return value instanceof GoMap ? 1 + value.entries.size : 1;
}

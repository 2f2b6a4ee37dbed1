import type { Labels } from "@sightline/model/labels.ts";

/** Starting value of a fold with {@link foldHash} over the pairs of a label set in their order. */
export const HASH_SEED = 0x811c9dc5 | 0;

export function foldHash(hash: number, pairHash: number): number {
  const mixed = Math.imul(hash ^ pairHash, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/** FNV-1a over the UTF-16 units of name and value. Not safe against chosen input: equality is always checked, too. */
export function hashPair(name: string, value: string): number {
  let hash = HASH_SEED;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0xffff, 0x01000193);
  for (let i = 0; i < value.length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
  return hash;
}

export function hashLabels(labels: Labels): number {
  let hash = HASH_SEED;
  for (const [name, value] of labels) hash = foldHash(hash, hashPair(name, value));
  return hash;
}

import type { Random } from "../random.ts";
import { mutateBytes } from "./bytes.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Container = Json[] | { [key: string]: Json };

const ODD_VALUES: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  5e-324,
  -0,
  1.5,
  2 ** 53,
  "",
  "0",
  "-1",
  "NaN",
  "Infinity",
  "18446744073709551615",
  "-9223372036854775808",
  "1e400",
  "\u0000",
  "\ud800",
  "ä",
  "AAAA",
  "====",
  [],
  {},
  [[]],
  { a: 1 },
];

/** Takes JSON apart into values and puts them together wrongly; at times only bytes. */
export function mutateJson(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (random.chance(0.3)) return mutateBytes(input, other, random);
  const value = parsed(input);
  const foreign = parsed(other);
  if (!isContainer(value) || !isContainer(foreign)) return mutateBytes(input, other, random);
  for (let count = 1 + random.below(4); count > 0; count--) mutateOne(value, foreign, random);
  return Buffer.from(JSON.stringify(value));
}

function mutateOne(root: Container, foreign: Container, random: Random): void {
  const { container, key } = randomPlace(root, random);
  if (key === undefined) return;
  const kind = random.below(6);
  if (kind === 0) remove(container, key);
  else if (kind === 1) put(container, key, structuredClone(random.one(ODD_VALUES)));
  else if (kind === 2) {
    const place = randomPlace(foreign, random);
    if (place.key !== undefined) put(container, key, structuredClone(at(place.container, place.key)));
  } else if (kind === 3) put(container, key, [structuredClone(at(container, key))]);
  else if (kind === 4) {
    let deep = structuredClone(at(container, key));
    for (let depth = random.chance(0.1) ? 300 : 3; depth > 0; depth--) deep = { [String(key)]: deep };
    put(container, key, deep);
  } else if (Array.isArray(container)) container.push(...structuredClone(container.slice(0, 20)));
  else container[random.one(Object.keys(container))] = structuredClone(random.one(ODD_VALUES));
}

function parsed(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as Json;
  } catch {
    return undefined;
  }
}

function isContainer(value: Json | undefined): value is Container {
  return typeof value === "object" && value !== null;
}

function keysOf(container: Container): (string | number)[] {
  return Array.isArray(container) ? [...container.keys()] : Object.keys(container);
}
const at = (container: Container, key: string | number) => (container as Record<string | number, Json>)[key] as Json;

function put(container: Container, key: string | number, value: Json): void {
  (container as Record<string | number, Json>)[key] = value;
}

function remove(container: Container, key: string | number): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else delete container[String(key)];
}

function randomPlace(root: Container, random: Random): { container: Container; key: string | number | undefined } {
  let container = root;
  for (;;) {
    const keys = keysOf(container);
    const key = keys.length === 0 ? undefined : random.one(keys);
    const value = key === undefined ? undefined : at(container, key);
    if (key === undefined || !isContainer(value) || random.chance(0.2)) return { container, key };
    container = value;
  }
}

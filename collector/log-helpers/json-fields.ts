import type { ParsedAttributes } from "./parsed-attributes.ts";

/** Objects in objects become names with dots, so deep; what is deeper stays JSON. */
const MAX_DEPTH = 4;

/** True when the body is an object in JSON. */
export function addJsonFields(body: string, attributes: ParsedAttributes): boolean {
  const text = body.trim();
  if (!text.startsWith("{") || !text.endsWith("}")) return false;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return false;
  }
  addMembers(parsed as Readonly<Record<string, unknown>>, "", 1, attributes);
  return true;
}

function addMembers(
  members: Readonly<Record<string, unknown>>,
  prefix: string,
  depth: number,
  attributes: ParsedAttributes,
): boolean {
  for (const [key, value] of Object.entries(members)) {
    const name = prefix + key;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const goesOn =
      isObject && depth < MAX_DEPTH
        ? addMembers(value as Readonly<Record<string, unknown>>, `${name}.`, depth + 1, attributes)
        : addValue(name, value, attributes);
    if (!goesOn) return false;
  }
  return true;
}

function addValue(name: string, value: unknown, attributes: ParsedAttributes): boolean {
  switch (typeof value) {
    case "string":
      return attributes.add(name, "string", value);
    case "boolean":
      return attributes.add(name, "bool", String(value));
    case "number":
      // Large integers lose digits here; the body has them.
      return attributes.add(name, Number.isSafeInteger(value) ? "int" : "double", String(value));
    default:
      return value === null || attributes.add(name, "json", JSON.stringify(value));
  }
}

/** The value of an attribute of type `json` (model/attributes.ts): integers are bigint, as they may need all 64 bits. */
export type JsonAttribute = string | bigint | number | boolean | null | readonly JsonAttribute[] | JsonAttributeMap;
export type JsonAttributeMap = { readonly [key: string]: JsonAttribute };

type Reviver = (key: string, value: unknown, context: { readonly source: string }) => unknown;

const keepIntegers: Reviver = (_key, value, { source }) =>
  typeof value === "number" && /^-?\d+$/.test(source) ? BigInt(source) : value;

/** The text itself when it is not JSON. */
export function parseJsonAttribute(text: string): JsonAttribute {
  try {
    return JSON.parse(text, keepIntegers as (key: string, value: unknown) => unknown) as JsonAttribute;
  } catch {
    return text;
  }
}

export function isJsonMap(value: JsonAttribute): value is JsonAttributeMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function jsonAttributeText(value: JsonAttribute): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonAttributeText).join(",")}]`;
  const fields = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${jsonAttributeText(inner)}`);
  return `{${fields.join(",")}}`;
}

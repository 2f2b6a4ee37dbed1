import type { Utf8Texts } from "./utf8-texts.ts";

/**
 * The type an attribute had on the wire. Values travel as text in one canonical form per type:
 * int decimal, double as JavaScript prints it, bool `true`/`false`, bytes base64, json (arrays and maps) as JSON.
 */
export type AttributeType = "string" | "int" | "double" | "bool" | "bytes" | "json";
export type Attribute = { readonly name: string; readonly type: AttributeType; readonly value: string };
/** In the order they came; a name comes once (the last one wins). */
export type Attributes = readonly Attribute[];

/**
 * One attribute of a batch: `values[row]` is its text, undefined where the row lacks it. `values` may be shorter than
 * the batch. A name with two types in one batch makes two columns.
 */
export type AttributeColumn = {
  readonly name: string;
  readonly type: AttributeType;
  readonly values: readonly (string | undefined)[];
  /** The values as UTF-8, as long as nobody has asked for them as strings; for whoever can do without these. */
  readonly bytes?: Utf8Texts | undefined;
};

/** Instrumentation scope. */
export type Scope = {
  readonly name: string;
  readonly version: string;
  readonly attributes: Attributes;
  readonly schemaUrl: string;
};
export const NO_SCOPE: Scope = Object.freeze({ name: "", version: "", attributes: [], schemaUrl: "" });

export function attributeValue(attributes: Attributes, name: string): string {
  for (const attribute of attributes) if (attribute.name === name) return attribute.value;
  return "";
}

import type { Attribute, AttributeColumn, Attributes, AttributeType } from "@sightline/model/attributes.ts";
import { withoutSeparator } from "./tokens.ts";

/** Name, type and value of the first, then those of the second, and so on. */
export type FlatAttributes = readonly string[];

/** Of attributes that are no strings, by ascending place. */
export type TypesByPlace = readonly (readonly [place: number, type: AttributeType])[];

/** What of an attribute can be looked up. */
const MAX_TOKEN_LENGTH = 1_000;

export function flatten(attributes: Attributes): FlatAttributes {
  return attributes.flatMap(({ name, type, value }) => [name, type, value]);
}

export function unflatten(flat: FlatAttributes): Attributes {
  const attributes: Attribute[] = [];
  for (let i = 0; i < flat.length; i += 3) {
    attributes.push({ name: flat[i] as string, type: flat[i + 1] as AttributeType, value: flat[i + 2] as string });
  }
  return attributes;
}

/** What an attribute or label is looked up by: `name=value`. Long ones share a token when they begin alike. */
export function attributeToken(name: string, value: string): string {
  const token = `${name}=${value}`;
  return withoutSeparator(token.length > MAX_TOKEN_LENGTH ? token.slice(0, MAX_TOKEN_LENGTH) : token).toWellFormed();
}

/** Whether no other value has the same token. */
export function isExactToken(name: string, value: string): boolean {
  return name.length + 1 + value.length <= MAX_TOKEN_LENGTH && !value.includes("\ufffd") && isPlainText(value);
}

/** Whether the token says name and value just as they are. */
export function isReadableToken(name: string, value: string): boolean {
  return !name.includes("=") && isPlainText(name) && isExactToken(name, value);
}

function isPlainText(text: string): boolean {
  return text.isWellFormed() && withoutSeparator(text) === text;
}

export function attributeTokens(attributes: Attributes): string[] {
  return attributes.map(({ name, value }) => attributeToken(name, value));
}

/** Of tokens that say name and value just as they are ({@link isReadableToken}). */
export function attributesOfTokens(tokens: readonly string[], types: TypesByPlace): Attributes {
  let next = 0;
  return tokens.map((token, place): Attribute => {
    const [name, value] = partsOfToken(token);
    const type = types[next]?.[0] === place ? types[next++]?.[1] : undefined;
    return { name, type: type ?? "string", value };
  });
}

export function partsOfToken(token: string): readonly [name: string, value: string] {
  const end = token.indexOf("=");
  return [token.slice(0, end), token.slice(end + 1)];
}

/** Maps, which others know by several names (one for each leaf). */
export function hasNested(attributes: Attributes): boolean {
  return attributes.some(({ type, value }) => type === "json" && value.startsWith("{"));
}

export function attributesAt(columns: readonly AttributeColumn[], row: number): Attributes {
  const attributes: Attribute[] = [];
  for (const { name, type, values } of columns) {
    const value = values[row];
    if (value !== undefined) attributes.push({ name, type, value });
  }
  return attributes;
}

export function attributeColumns(rows: readonly { readonly attributes: Attributes }[]): AttributeColumn[] {
  const columns = new Map<string, { name: string; type: AttributeType; values: (string | undefined)[] }>();
  for (const [row, { attributes }] of rows.entries()) {
    for (const { name, type, value } of attributes) {
      const key = `${type}:${name}`;
      let column = columns.get(key);
      if (!column) {
        column = { name, type, values: new Array<string | undefined>(rows.length).fill(undefined) };
        columns.set(key, column);
      }
      column.values[row] = value;
    }
  }
  return [...columns.values()];
}

/** The size in memory of texts, roughly. */
export function approximateTextBytes(texts: readonly (string | undefined)[]): number {
  let bytes = 8 * texts.length;
  for (const text of texts) if (text !== undefined) bytes += 16 + text.length;
  return bytes;
}

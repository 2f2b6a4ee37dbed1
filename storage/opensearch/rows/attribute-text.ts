import type { Attribute, AttributeColumn, Attributes, AttributeType } from "@sightline/model/attributes.ts";
import { withoutSeparator, withToken } from "./tokens.ts";

/** How attributes are written in a document: what people would write, and beside it what that does not say. */
export type AttributeFields = {
  /** Values under the attributes' names, all as text. */
  readonly context?: Readonly<Record<string, string>> | undefined;
  /** Types of those that are no strings. */
  readonly types?: Readonly<Record<string, AttributeType>> | undefined;
  /** Those whose names or values are nothing for `context`. */
  readonly more?: FlatAttributes | undefined;
};
/** Name, type and value of the first, then those of the second, and so on. */
export type FlatAttributes = readonly string[];

/** Names that mean the same to OpenSearch as they do here: parts with a dot between them. */
const PLAIN_NAME = /^[^\s.\p{C}]+(\.[^\s.\p{C}]+)*$/u;
const MAX_NAME_LENGTH = 500;
/** Whether they are plain: the same few names come again and again. */
const knownNames = new Map<string, boolean>();
const MAX_KNOWN_NAMES = 10_000;
/** OpenSearch refuses longer terms than 32,766 bytes. */
const MAX_VALUE_LENGTH = 8_000;
/** What of an attribute can be looked up. */
const MAX_TOKEN_LENGTH = 1_000;

export function attributeFields(attributes: Attributes): AttributeFields {
  let context: Record<string, string> | undefined;
  let types: Record<string, AttributeType> | undefined;
  let more: string[] | undefined;
  for (const { name, type, value } of attributes) {
    if (!isPlain(name, value) || (context && Object.hasOwn(context, name))) {
      more ??= [];
      more.push(name, type, value);
      continue;
    }
    context ??= {};
    context[name] = value;
    if (type === "string") continue;
    types ??= {};
    types[name] = type;
  }
  return { context, types, more };
}

export function attributesOfFields({ context, types, more }: AttributeFields): Attributes {
  const attributes: Attribute[] = [];
  for (const [name, value] of Object.entries(context ?? {})) {
    attributes.push({ name, type: (types && Object.hasOwn(types, name) ? types[name] : undefined) ?? "string", value });
  }
  return more ? [...attributes, ...unflatten(more)] : attributes;
}

function isPlain(name: string, value: string): boolean {
  if (name.length > MAX_NAME_LENGTH || value.length > MAX_VALUE_LENGTH) return false;
  let isPlainName = knownNames.get(name);
  if (isPlainName === undefined) {
    isPlainName = name !== "__proto__" && PLAIN_NAME.test(name);
    if (knownNames.size >= MAX_KNOWN_NAMES) knownNames.clear();
    knownNames.set(name, isPlainName);
  }
  return isPlainName;
}

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

/** {@link attributeTokens} after those that are joined already. */
export function withTokens(joined: string, attributes: Attributes): string {
  let all = joined;
  for (const { name, value } of attributes) all = withToken(all, attributeToken(name, value));
  return all;
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

import { type AttributeKey, attributeColumnName, attributeId } from "./attribute-columns.ts";

/**
 * A merged segment may have so many times the usual number of attribute columns. Its inputs' columns stay columns and
 * their tails stay tails: to move attributes between them, a merge would have to parse and write every tail.
 */
export const MERGED_COLUMNS_FACTOR = 2;

export function unionOfKeys(lists: readonly (readonly AttributeKey[])[]): AttributeKey[] {
  return [...new Map(lists.flat().map((key) => [attributeId(key), key])).values()];
}

/** SELECT items that give a segment's attribute columns the names they have in `merged`; NULL where it lacks one. */
export function columnsInTermsOf(own: readonly AttributeKey[], merged: readonly AttributeKey[]): string[] {
  const names = new Map(own.map((key, number) => [attributeId(key), attributeColumnName(number)]));
  return merged.map((key, number) => {
    return `${names.get(attributeId(key)) ?? "NULL::VARCHAR"} AS ${attributeColumnName(number)}`;
  });
}

/** A SELECT item that replaces places in one dictionary by places in another. */
export function renumbered(column: string, numbers: readonly number[]): string {
  return `[${numbers.join(", ")}]::UINTEGER[][${column} + 1] AS ${column}`;
}

import {
  type AttributeKey,
  attributeColumnName,
  attributeId,
  type CountedKey,
  mostFrequentKeys,
  TAIL_COLUMN,
} from "./attribute-columns.ts";
import { quoteText } from "./duck-database.ts";

/** The columns of a merged segment: of those its inputs have, the most frequent ones. */
export function mergedKeys(inputs: readonly (readonly CountedKey[])[], maxColumns: number): readonly CountedKey[] {
  const counts = new Map<string, CountedKey>();
  for (const key of inputs.flat()) {
    const id = attributeId(key);
    counts.set(id, { ...key, rows: key.rows + (counts.get(id)?.rows ?? 0) });
  }
  return mostFrequentKeys(counts.values(), maxColumns);
}

/**
 * SELECT items that give a segment's attributes the columns of a merged one: NULL for what it lacks, and what has no
 * column there goes into the tail. Nothing moves from the tail to a column, for that would mean to parse every tail.
 */
export function attributesInTermsOf(own: readonly AttributeKey[], merged: readonly AttributeKey[]): string[] {
  const names = new Map(own.map((key, number) => [attributeId(key), attributeColumnName(number)]));
  const columns = merged.map((key, number) => {
    return `${names.get(attributeId(key)) ?? "NULL::VARCHAR"} AS ${attributeColumnName(number)}`;
  });
  const kept = new Set(merged.map(attributeId));
  const demoted = own.flatMap((key, number) => (kept.has(attributeId(key)) ? [] : [{ key, number }]));
  return [tailWith(demoted), ...columns];
}

/** The tail is a JSON array of texts, so it grows as text: `,a,b,c` for each attribute, and no comma at the front. */
function tailWith(demoted: readonly { readonly key: AttributeKey; readonly number: number }[]): string {
  if (demoted.length === 0) return TAIL_COLUMN;
  const items = demoted.map(({ key, number }) => {
    const head = quoteText(`,${JSON.stringify(key.name)},${JSON.stringify(key.type)},`);
    return `coalesce(${head} || CAST(to_json(${attributeColumnName(number)}) AS VARCHAR), '')`;
  });
  const old = `coalesce(',' || ${TAIL_COLUMN}[2:-2], '')`;
  const all = `concat(${[old, ...items].join(", ")})`;
  return `CASE WHEN ${all} = '' THEN NULL ELSE '[' || ${all}[2:] || ']' END AS ${TAIL_COLUMN}`;
}

/** A SELECT item that replaces places in one dictionary by places in another. */
export function renumbered(column: string, numbers: readonly number[]): string {
  return `([${numbers.join(", ")}]::UINTEGER[])[${column} + 1] AS ${column}`;
}

import type { AttributeColumn } from "@sightline/model/attributes.ts";

export function pickItems<T>(items: readonly T[], rows: Uint32Array): T[] {
  const picked = new Array<T>(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = items[rows[i] as number] as T;
  return picked;
}

export function pickTimes(times: BigInt64Array, rows: Uint32Array): BigInt64Array {
  const picked = new BigInt64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = times[rows[i] as number] as bigint;
  return picked;
}

/** Columns without a value in these rows are left out. */
export function pickAttributes(columns: readonly AttributeColumn[], rows: Uint32Array): AttributeColumn[] {
  const picked: AttributeColumn[] = [];
  for (const { name, type, values } of columns) {
    const kept = pickItems(values, rows);
    if (kept.some((value) => value !== undefined)) picked.push({ name, type, values: kept });
  }
  return picked;
}

/** The size in memory of attributes, roughly. */
export function approximateAttributeBytes(columns: readonly AttributeColumn[]): number {
  let bytes = 0;
  for (const column of columns) bytes += column.bytes?.byteLength ?? approximateTextBytes(column.values);
  return bytes;
}

/** The size in memory of texts, roughly. */
export function approximateTextBytes(texts: readonly (string | undefined)[]): number {
  let bytes = 8 * texts.length;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text !== undefined) bytes += 16 + text.length;
  }
  return bytes;
}

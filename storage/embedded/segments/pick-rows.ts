import type { AttributeColumn } from "@sightline/model/attributes.ts";
import { Utf8Texts } from "@sightline/model/utf8-texts.ts";

/** A pointer, and what a string has beside its characters. */
const BYTES_PER_VALUE = 8;
const BYTES_PER_STRING = 16;

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
  for (const column of columns) bytes += approximateTextBytes(column.bytes ?? column.values);
  return bytes;
}

/** The size in memory of texts, roughly; of bytes, that of the strings which a query would make of them. */
export function approximateTextBytes(texts: readonly (string | undefined)[] | Utf8Texts): number {
  let bytes = BYTES_PER_VALUE * texts.length;
  if (texts instanceof Utf8Texts) return bytes + BYTES_PER_STRING * texts.length + texts.bytes.length;
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i];
    if (text !== undefined) bytes += BYTES_PER_STRING + text.length;
  }
  return bytes;
}

import type { DuckDBValue } from "@duckdb/node-api";
import { VARCHAR } from "@duckdb/node-api";
import type { Attribute, AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import { Breather } from "./breather.ts";
import { packUtf8, type TextPart } from "./pack-utf8.ts";
import type { RowPart, SegmentColumn } from "./segment-codec.ts";

/** An attribute with a column of its own in a segment; its number is its place in the segment's list. */
export type AttributeKey = { readonly name: string; readonly type: AttributeType };

/** With the number of rows that have it. */
export type CountedKey = AttributeKey & { readonly rows: number };

/** Something in the column {@link TAIL_COLUMN}; an empty type says that it is no attribute. */
export type TailKey = { readonly name: string; readonly type: AttributeType | "" };
/** More are not worth to be remembered. */
const MAX_TAIL_KEYS = 10_000;

/** Each once; undefined when that is unknown of some of them, or they are too many. */
export function tailKeys(keys: Iterable<TailKey> | undefined): readonly TailKey[] | undefined {
  if (!keys) return undefined;
  const unique = new Map<string, TailKey>();
  for (const { name, type } of keys) unique.set(attributeId({ name, type }), { name, type });
  return unique.size > MAX_TAIL_KEYS ? undefined : [...unique.values()];
}

/** Equal for equal name and type; types have no colon. */
export function attributeId({ name, type }: TailKey): string {
  return `${type}:${name}`;
}

export function attributeColumnName(number: number): string {
  return `a${number}`;
}

/** The column with whatever has none of its own: a flat JSON array name, type, value, name, …; NULL for nothing. */
export const TAIL_COLUMN = "tail";

/** May add triples of its own to a row's tail; an empty type keeps them apart from attributes. */
type ExtraTail<Batch> = (batch: Batch, row: number, tail: string[]) => void;
type WithAttributes = { readonly attributes: readonly AttributeColumn[] };

/**
 * Decides which attributes become columns (the most frequent ones) and writes them. Any number of different attributes
 * can be kept: the others go into the tail.
 */
export class AttributeColumns<Batch extends WithAttributes> {
  readonly keys: readonly CountedKey[];
  /** Those that have no column. */
  readonly rest: readonly CountedKey[];
  readonly #parts: readonly RowPart<Batch>[];
  /** By part, by column. */
  readonly #hot: readonly (readonly (AttributeColumn | undefined)[])[];
  readonly #tail: readonly (readonly AttributeColumn[])[];
  readonly #extraTail: ExtraTail<Batch> | undefined;

  private constructor(
    parts: readonly RowPart<Batch>[],
    all: readonly CountedKey[],
    maxColumns: number,
    extraTail: ExtraTail<Batch> | undefined,
  ) {
    const keys = mostFrequentKeys(all, maxColumns);
    const kept = new Set(keys);
    this.rest = all.filter((key) => !kept.has(key));
    this.#parts = parts;
    this.#extraTail = extraTail;
    this.keys = keys;
    const numbers = new Map(keys.map((key, number) => [attributeId(key), number]));
    this.#hot = parts.map(({ batch }) => {
      const columns: (AttributeColumn | undefined)[] = new Array(keys.length).fill(undefined);
      for (const column of batch.attributes) {
        const number = numbers.get(attributeId(column));
        if (number !== undefined) columns[number] = column;
      }
      return columns;
    });
    this.#tail = parts.map(({ batch }) => batch.attributes.filter((column) => !numbers.has(attributeId(column))));
  }

  static async plan<Batch extends WithAttributes>(
    parts: readonly RowPart<Batch>[],
    maxColumns: number,
    extraTail?: ExtraTail<Batch>,
  ): Promise<AttributeColumns<Batch>> {
    return new AttributeColumns(parts, [...(await countKeys(parts))], maxColumns, extraTail);
  }

  segmentColumns(): SegmentColumn[] {
    const columns = this.keys.map((_, number): SegmentColumn => {
      return {
        name: attributeColumnName(number),
        type: VARCHAR,
        fill: (out, at, part, from, to) => this.#fillColumn(number, out, at, part, from, to),
        pack: (pieces) => packUtf8(pieces, (part) => this.#textsOf(number, part)),
      };
    });
    const fill: SegmentColumn["fill"] = (out, at, part, from, to) => this.#fillTail(out, at, part, from, to);
    return [...columns, { name: TAIL_COLUMN, type: VARCHAR, fill }];
  }

  /** Undefined when they are strings. */
  #textsOf(number: number, part: number): TextPart | undefined {
    const column = this.#hot[part]?.[number];
    if (column && !column.bytes) return undefined;
    return { texts: column?.bytes, rows: (this.#parts[part] as RowPart<Batch>).rows };
  }

  #fillColumn(number: number, out: DuckDBValue[], at: number, part: number, from: number, to: number): void {
    const column = this.#hot[part]?.[number];
    if (!column) return;
    const { rows } = this.#parts[part] as RowPart<Batch>;
    for (let i = from; i < to; i++) out[at + i - from] = column.values[rows[i] as number] ?? null;
  }

  #fillTail(out: DuckDBValue[], at: number, part: number, from: number, to: number): void {
    const columns = this.#tail[part] as readonly AttributeColumn[];
    if (columns.length === 0 && !this.#extraTail) return;
    const { batch, rows } = this.#parts[part] as RowPart<Batch>;
    const tail: string[] = [];
    for (let i = from; i < to; i++) {
      const row = rows[i] as number;
      for (const { name, type, values } of columns) {
        const value = values[row];
        if (value !== undefined) tail.push(name, type, value);
      }
      this.#extraTail?.(batch, row, tail);
      if (tail.length === 0) continue;
      out[at + i - from] = JSON.stringify(tail);
      tail.length = 0;
    }
  }
}

async function countKeys(parts: readonly RowPart<WithAttributes>[]): Promise<Iterable<CountedKey>> {
  const breather = new Breather({ isBackground: true });
  const counts = new Map<string, { readonly name: string; readonly type: AttributeType; rows: number }>();
  for (const { batch, rows } of parts) {
    for (const column of batch.attributes) {
      const count = countValues(column, rows);
      if (count === 0) continue;
      const { name, type } = column;
      const id = attributeId({ name, type });
      const known = counts.get(id);
      if (known) known.rows += count;
      else counts.set(id, { name, type, rows: count });
    }
    if (breather.due) await breather.pause();
  }
  return counts.values();
}

function countValues(column: AttributeColumn, rows: Uint32Array): number {
  const { bytes } = column;
  let count = 0;
  if (bytes) {
    const { has, length } = bytes;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      if (row < length && (!has || has[row] === 1)) count++;
    }
    return count;
  }
  const { values } = column;
  for (let i = 0; i < rows.length; i++) if (values[rows[i] as number] !== undefined) count++;
  return count;
}

export function mostFrequentKeys(keys: Iterable<CountedKey>, maxColumns: number): readonly CountedKey[] {
  return [...keys].sort((a, b) => b.rows - a.rows).slice(0, maxColumns);
}

/** Collects attributes row by row into the columns of a batch. */
export class AttributeColumnsReader {
  readonly #columns = new Map<
    string,
    { readonly name: string; readonly type: AttributeType; values: (string | undefined)[] }
  >();

  /** A whole column at once; nulls are missing values. */
  addColumn(key: AttributeKey, values: readonly (DuckDBValue | undefined)[]): void {
    const texts = values.map((value) => (value === null ? undefined : (value as string)));
    if (texts.some((text) => text !== undefined)) this.#columns.set(attributeId(key), { ...key, values: texts });
  }

  /** A column without values yet: the caller puts them in its place. */
  emptyColumn(key: AttributeKey, length: number): (string | undefined)[] {
    const values = new Array<string | undefined>(length).fill(undefined);
    this.#columns.set(attributeId(key), { ...key, values });
    return values;
  }

  add(row: number, { name, type, value }: Attribute): void {
    const id = attributeId({ name, type });
    let column = this.#columns.get(id);
    if (!column) {
      column = { name, type, values: [] };
      this.#columns.set(id, column);
    }
    while (column.values.length < row) column.values.push(undefined);
    column.values[row] = value;
  }

  /** Adds what a row's tail has; triples with a reserved (empty) type go to `reserved`. */
  addTail(row: number, text: string, reserved: (name: string, value: string) => void): void {
    const tail = JSON.parse(text) as string[];
    for (let i = 0; i + 2 < tail.length; i += 3) {
      const [name, type, value] = tail.slice(i, i + 3) as [string, AttributeType | "", string];
      if (type === "") reserved(name, value);
      else this.add(row, { name, type, value });
    }
  }

  columns(): AttributeColumn[] {
    return [...this.#columns.values()];
  }
}

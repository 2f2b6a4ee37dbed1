import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";

/** Attributes that one record may get. */
const MAX_PER_ROW = 64;
const MAX_NAME_LENGTH = 128;
/** Columns times rows of a batch: names come from senders, and each makes a column. */
const MAX_CELLS = 4_000_000;
const MAX_COLUMNS = 512;

/** Collects attributes that bodies have, beside those that their records came with: these stay. */
export class ParsedAttributes {
  readonly #given: readonly AttributeColumn[];
  readonly #ofName: ReadonlyMap<string, readonly AttributeColumn[]>;
  readonly #rows: number;
  readonly #maxColumns: number;
  readonly #columns = new Map<string, { name: string; type: AttributeType; values: (string | undefined)[] }>();
  #row = 0;
  #left = MAX_PER_ROW;

  constructor(given: readonly AttributeColumn[], rows: number) {
    this.#given = given;
    this.#ofName = Map.groupBy(given, ({ name }) => name);
    this.#rows = rows;
    this.#maxColumns = Math.min(MAX_COLUMNS, Math.max(16, Math.floor(MAX_CELLS / rows)));
  }

  begin(row: number): void {
    this.#row = row;
    this.#left = MAX_PER_ROW;
  }

  /** False when the record has as many as it may. */
  add(name: string, type: AttributeType, value: string): boolean {
    if (this.#left === 0) return false;
    if (name === "" || name.length > MAX_NAME_LENGTH || this.#isGiven(name)) return true;
    const key = `${type} ${name}`;
    let column = this.#columns.get(key);
    if (!column) {
      if (this.#columns.size >= this.#maxColumns) return true;
      column = { name, type, values: new Array(this.#rows).fill(undefined) };
      this.#columns.set(key, column);
    }
    if (column.values[this.#row] === undefined) this.#left--;
    column.values[this.#row] = value;
    return true;
  }

  columns(): readonly AttributeColumn[] {
    return this.#columns.size === 0 ? this.#given : [...this.#given, ...this.#columns.values()];
  }

  #isGiven(name: string): boolean {
    return this.#ofName.get(name)?.some(({ values }) => values[this.#row] !== undefined) ?? false;
  }
}

import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";

type Cell = { readonly type: AttributeType; readonly value: string };

/** Attribute columns of a batch that are edited cell by cell; only the columns that are written to are copied. */
export class EditableColumns {
  readonly #columns: {
    readonly name: string;
    readonly type: AttributeType;
    values: (string | undefined)[];
    own: boolean;
  }[];
  readonly #rows: number;

  constructor(columns: readonly AttributeColumn[], rows: number) {
    this.#rows = rows;
    this.#columns = columns.map(({ name, type, values }) => ({
      name,
      type,
      values: values as (string | undefined)[],
      own: false,
    }));
  }

  get(name: string, row: number): Cell | undefined {
    for (const column of this.#columns) {
      if (column.name !== name) continue;
      const value = column.values[row];
      if (value !== undefined) return { type: column.type, value };
    }
    return undefined;
  }

  set(name: string, row: number, { type, value }: Cell): void {
    this.delete(name, row);
    let column = this.#columns.find((other) => other.name === name && other.type === type);
    if (!column) {
      column = { name, type, values: new Array(this.#rows).fill(undefined), own: true };
      this.#columns.push(column);
    }
    this.#write(column, row, value);
  }

  delete(name: string, row: number): void {
    for (const column of this.#columns) {
      if (column.name === name && column.values[row] !== undefined) this.#write(column, row, undefined);
    }
  }

  /** Columns that became empty are left out. */
  build(): AttributeColumn[] {
    return this.#columns.filter(({ own, values }) => !own || values.some((value) => value !== undefined));
  }

  #write(column: { values: (string | undefined)[]; own: boolean }, row: number, value: string | undefined): void {
    if (!column.own) {
      const { values } = column;
      column.values = Array.from({ length: this.#rows }, (_, i) => values[i]);
      column.own = true;
    }
    column.values[row] = value;
  }
}

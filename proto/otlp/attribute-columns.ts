import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import { BYTES, type WireReader } from "../wire/reader.ts";
import type { AnyValueReader } from "./attributes.ts";
import { isAscii, type TextCache } from "./text-cache.ts";

const KEY_VALUE_KEY = (1 << 3) | BYTES;
const KEY_VALUE_VALUE = (2 << 3) | BYTES;

/**
 * Rows times columns that one batch may have. A column holds a place for every row up to its last one, so that a request
 * of many tiny records, each with a name of its own, would cost the square of its size, here and in the stores.
 */
const MAX_CELLS = 64 * 1024 * 1024;
/** Always granted, whatever the number of rows. */
const MIN_COLUMNS = 64;
/** Up to this many cells columns are laid out at their full length at once; later ones grow as they are needed. */
const MAX_CELLS_UP_FRONT = 4 * 1024 * 1024;

type Column = { readonly name: string; readonly type: AttributeType; readonly values: (string | undefined)[] };

/** All columns of one attribute name; a second one only comes up when senders don't agree on its type. */
type NamedColumns = {
  readonly name: string;
  readonly columns: Column[];
  /** The row written last, and which of the columns has its value. */
  row: number;
  column: Column | undefined;
};

/** Gathers the attributes of rows that are read one after the other into columns. */
export class AttributeColumns {
  readonly #rows: number;
  readonly #maxColumns: number;
  readonly #buffer: Buffer;
  readonly #texts: TextCache;
  readonly #values: AnyValueReader;
  readonly #columns: Column[] = [];
  readonly #byName = new Map<string, NamedColumns>();
  /** Names in the order of the rows before: records of one place in a program carry the same names again. */
  readonly #expected: NamedColumns[] = [];
  #position = 0;
  #row = 0;
  /** Whose values the current row has, for taking them back. */
  readonly #touched: NamedColumns[] = [];
  #touchedCount = 0;
  #abandoned = false;

  /** `rows` is the number of rows that may come. */
  constructor(rows: number, buffer: Buffer, texts: TextCache, values: AnyValueReader) {
    this.#rows = rows;
    this.#maxColumns = Math.max(MIN_COLUMNS, Math.floor(MAX_CELLS / Math.max(1, rows)));
    this.#buffer = buffer;
    this.#texts = texts;
    this.#values = values;
  }

  /** Attributes read from now on belong to `row`. */
  startRow(row: number): void {
    this.#row = row;
    this.#position = 0;
    this.#touchedCount = 0;
  }

  /** Takes back what was read for the current row; another row may use its number. */
  abandonRow(): void {
    for (let i = 0; i < this.#touchedCount; i++) {
      const named = this.#touched[i] as NamedColumns;
      if (named.column) named.column.values[this.#row] = undefined;
      named.row = -1;
    }
    this.#abandoned = true;
  }

  /** Reads the KeyValue field whose tag was just read. False when that would make one column too many. */
  read(reader: WireReader): boolean {
    const outer = reader.enter("attributes");
    let named: NamedColumns | undefined;
    let isRefused = false;
    let type: AttributeType = "string";
    let text = "";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === KEY_VALUE_KEY) {
        const length = reader.skipBytes();
        named = this.#named(reader.pos - length, reader.pos);
        isRefused = named === undefined;
      } else if (tag === KEY_VALUE_VALUE) {
        const outerValue = reader.enter("value");
        this.#values.read(reader);
        reader.leave(outerValue);
        type = this.#values.type;
        text = this.#values.text;
      } else reader.skip(tag);
    }
    reader.leave(outer);
    if (isRefused) return false;
    named ??= this.#namedByText("");
    return named !== undefined && this.#put(named, type, text);
  }

  /** Sets an attribute of the current row by hand. False when that would make one column too many. */
  set(name: string, type: AttributeType, text: string): boolean {
    const named = this.#namedByText(name);
    return named !== undefined && this.#put(named, type, text);
  }

  /** Whether the current row has an attribute of that name. */
  has(name: string): boolean {
    return this.#byName.get(name)?.row === this.#row;
  }

  /** `length` is the number of rows there are in the end. */
  finish(length: number): readonly AttributeColumn[] {
    for (const { values } of this.#columns) if (values.length > length) values.length = length;
    if (!this.#abandoned) return this.#columns;
    return this.#columns.filter(({ values }) => values.some((value) => value !== undefined));
  }

  get limitMessage(): string {
    return (
      `more than ${this.#maxColumns} different attribute names in a request of ${this.#rows} items: ` +
      "send smaller batches, or put what varies into attribute values instead of names"
    );
  }

  #put(named: NamedColumns, type: AttributeType, text: string): boolean {
    const row = this.#row;
    let column = named.columns[0];
    if (column?.type !== type) {
      column = this.#columnOf(named, type);
      if (!column) return false;
    }
    if (named.row !== row) this.#touched[this.#touchedCount++] = named;
    else if (named.column !== column && named.column) named.column.values[row] = undefined;
    named.row = row;
    named.column = column;
    column.values[row] = text;
    return true;
  }

  #columnOf(named: NamedColumns, type: AttributeType): Column | undefined {
    const known = named.columns.find((column) => column.type === type);
    if (known) return known;
    const count = this.#columns.length + 1;
    if (count > this.#maxColumns) return undefined;
    const isDense = count * this.#rows <= MAX_CELLS_UP_FRONT;
    const column = { name: named.name, type, values: isDense ? new Array(this.#rows).fill(undefined) : [] };
    named.columns.push(column);
    this.#columns.push(column);
    return column;
  }

  #named(start: number, end: number): NamedColumns | undefined {
    const position = this.#position++;
    const expected = this.#expected[position];
    if (expected && expected.name.length === end - start && isAscii(expected.name, this.#buffer, start)) {
      return expected;
    }
    const named = this.#namedByText(this.#texts.text(this.#buffer, start, end));
    if (named && position <= this.#expected.length) this.#expected[position] = named;
    return named;
  }

  #namedByText(name: string): NamedColumns | undefined {
    let named = this.#byName.get(name);
    if (!named) {
      if (this.#byName.size >= this.#maxColumns) return undefined;
      named = { name, columns: [], row: -1, column: undefined };
      this.#byName.set(name, named);
    }
    return named;
  }
}

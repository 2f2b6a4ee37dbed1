import type { AttributeColumn, AttributeType } from "@sightline/model/attributes.ts";
import { BYTES, type WireReader } from "../wire/reader.ts";
import { ANY_STRING, type AnyValueReader } from "./attributes.ts";
import { isAscii, type TextCache } from "./text-cache.ts";
import { TextColumn } from "./text-column.ts";

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

/** All columns of one attribute name; a second one only comes up when senders don't agree on its type. */
type NamedColumns = {
  readonly name: string;
  readonly columns: TextColumn[];
  /** The row written last, and which of the columns has its value. */
  row: number;
  column: TextColumn | undefined;
};

/** Gathers the attributes of rows that are read one after the other into columns. */
export class AttributeColumns {
  readonly #rows: number;
  readonly #maxColumns: number;
  readonly #buffer: Buffer;
  readonly #texts: TextCache;
  readonly #values: AnyValueReader;
  readonly #columns: TextColumn[] = [];
  readonly #byName = new Map<string, NamedColumns>();
  /** Names in the order of the rows before: records of one place in a program carry the same names again. */
  readonly #expected: NamedColumns[] = [];
  #position = 0;
  #row = 0;
  /** Whose values the current row has, for taking them back. */
  readonly #touched: NamedColumns[] = [];
  #touchedCount = 0;
  #abandoned = false;
  /** The value that was read last, as text or where it is in the request. */
  #type: AttributeType = "string";
  #text: string | undefined = "";
  #start = 0;
  #end = 0;

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
      named.column?.remove(this.#row);
      named.row = -1;
    }
    this.#abandoned = true;
  }

  /** Reads the KeyValue field whose tag was just read. False when that would make one column too many. */
  read(reader: WireReader): boolean {
    const outer = reader.enter("attributes");
    let named: NamedColumns | undefined;
    let isRefused = false;
    this.#type = "string";
    this.#text = "";
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === KEY_VALUE_KEY) {
        const length = reader.skipBytes();
        named = this.#named(reader.pos - length, reader.pos);
        isRefused = named === undefined;
      } else if (tag === KEY_VALUE_VALUE) {
        const outerValue = reader.enter("value");
        this.#readValue(reader);
        reader.leave(outerValue);
      } else reader.skip(tag);
    }
    reader.leave(outer);
    if (isRefused) return false;
    named ??= this.#namedByText("");
    const column = named && this.#columnFor(named, this.#type);
    if (!column) return false;
    if (this.#text === undefined) column.putBytes(this.#row, this.#buffer, this.#start, this.#end);
    else column.putText(this.#row, this.#text);
    return true;
  }

  /** Most values are strings, which are not decoded. */
  #readValue(reader: WireReader): void {
    const start = reader.pos;
    if (reader.nextTag() === ANY_STRING) {
      const length = reader.skipBytes();
      if (reader.pos === reader.end) {
        this.#type = "string";
        this.#text = undefined;
        this.#start = reader.pos - length;
        this.#end = reader.pos;
        return;
      }
    }
    reader.pos = start;
    this.#values.read(reader);
    this.#type = this.#values.type;
    this.#text = this.#values.text;
  }

  /** Sets an attribute of the current row by hand. False when that would make one column too many. */
  set(name: string, type: AttributeType, text: string): boolean {
    const named = this.#namedByText(name);
    const column = named && this.#columnFor(named, type);
    column?.putText(this.#row, text);
    return column !== undefined;
  }

  /** Whether the current row has an attribute of that name. */
  has(name: string): boolean {
    return this.#byName.get(name)?.row === this.#row;
  }

  /** `length` is the number of rows there are in the end. A column at each step: see `runSteps`. */
  *finish(length: number): Generator<void, readonly AttributeColumn[]> {
    const isDense = this.#columns.length * this.#rows <= MAX_CELLS_UP_FRONT;
    const columns = this.#abandoned ? this.#columns.filter(({ count }) => count > 0) : this.#columns;
    const finished: AttributeColumn[] = [];
    for (const column of columns) {
      finished.push(yield* column.finish(isDense ? length : 0));
      yield;
    }
    return finished;
  }

  get limitMessage(): string {
    return (
      `more than ${this.#maxColumns} different attribute names in a request of ${this.#rows} items: ` +
      "send smaller batches, or put what varies into attribute values instead of names"
    );
  }

  /** Where the current row's value of that name and type belongs; undefined when that is one column too many. */
  #columnFor(named: NamedColumns, type: AttributeType): TextColumn | undefined {
    const row = this.#row;
    let column = named.columns[0];
    if (column?.type !== type) {
      column = this.#columnOf(named, type);
      if (!column) return undefined;
    }
    if (named.row !== row) this.#touched[this.#touchedCount++] = named;
    else if (named.column !== column) named.column?.remove(row);
    named.row = row;
    named.column = column;
    return column;
  }

  #columnOf(named: NamedColumns, type: AttributeType): TextColumn | undefined {
    const known = named.columns.find((column) => column.type === type);
    if (known) return known;
    const count = this.#columns.length + 1;
    if (count > this.#maxColumns) return undefined;
    const isDense = count * this.#rows <= MAX_CELLS_UP_FRONT;
    const column = new TextColumn(named.name, type, isDense ? this.#rows : 0);
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

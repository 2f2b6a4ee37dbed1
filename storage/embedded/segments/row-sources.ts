import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBTableFunction,
  type DuckDBType,
  INTEGER,
} from "@duckdb/node-api";

/** Rows that JavaScript gives to a query, chunk by chunk. */
export type RowSource = {
  readonly columns: readonly { readonly name: string; readonly type: DuckDBType }[];
  readonly rows: number;
  /** Sets the chunk's number of rows (at most 2,048; 0 at the end) and all values. It holds the event loop meanwhile. */
  readonly fill: (chunk: DuckDBDataChunk) => void;
};

const FUNCTION = "rows_of_javascript";

/**
 * The table function through which statements read {@link RowSource}s. DuckDB calls back on the thread of the event
 * loop, once per chunk, so that other work gets its turn in between; nothing is staged in a table.
 */
export class RowSources {
  readonly #sources = new Map<number, RowSource>();
  #lastId = 0;

  /** Once per database. */
  register(connection: DuckDBConnection): void {
    connection.registerTableFunction(
      DuckDBTableFunction.create({
        name: FUNCTION,
        parameterTypes: [INTEGER],
        bindFunction: (info) => {
          const source = this.#sources.get(info.getParameter(0) as number);
          if (!source) return info.setError("no such rows");
          for (const { name, type } of source.columns) info.addResultColumn(name, type);
          info.setCardinality(source.rows, true);
          info.setBindData(source);
        },
        initFunction: () => {},
        mainFunction: (info, chunk) => {
          try {
            (info.bindData as RowSource).fill(chunk);
          } catch (error) {
            info.setError(String(error));
          }
        },
      }),
    );
  }

  /** `use` gets what to write after FROM. Such rows can be read once. */
  async with<T>(source: RowSource, use: (from: string) => Promise<T>): Promise<T> {
    const id = ++this.#lastId;
    this.#sources.set(id, source);
    try {
      return await use(`${FUNCTION}(${id})`);
    } finally {
      this.#sources.delete(id);
    }
  }
}

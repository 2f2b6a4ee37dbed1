/** What runs in the thread of a {@link WriteThread}. */
import { parentPort } from "node:worker_threads";
import {
  BIGINT,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  UBIGINT,
  UINTEGER,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { DuckDatabase } from "./duck-database.ts";
import { fillVector } from "./fill-vector.ts";
import type { ColumnType, PackedColumn } from "./packed-column.ts";
import type { StagedColumn, WriteAnswer, WriteRequest } from "./write-protocol.ts";

const TYPES: Readonly<Record<ColumnType, DuckDBType>> = { VARCHAR, BIGINT, UBIGINT, UINTEGER, UTINYINT };

/** The rows of the segment that is being written, in a temporary table. */
class Staging {
  readonly #connection: DuckDBConnection;
  readonly #appender: DuckDBAppender;
  readonly #columns: readonly StagedColumn[];
  readonly #types: readonly DuckDBType[];

  private constructor(connection: DuckDBConnection, appender: DuckDBAppender, columns: readonly StagedColumn[]) {
    this.#connection = connection;
    this.#appender = appender;
    this.#columns = columns;
    this.#types = columns.map(({ type }) => TYPES[type]);
  }

  static async begin(database: DuckDatabase, columns: readonly StagedColumn[]): Promise<Staging> {
    const connection = await database.connect();
    await connection.run(`CREATE TEMP TABLE staged (${columns.map(({ name, type }) => `${name} ${type}`).join(", ")})`);
    return new Staging(connection, await connection.createAppender("staged"), columns);
  }

  add(rows: number, packed: readonly PackedColumn[]): void {
    const chunk = DuckDBDataChunk.create(this.#types, rows);
    for (const [number, { type }] of this.#columns.entries()) {
      fillVector(duckdb.data_chunk_get_vector(chunk.chunk, number), type, packed[number] as PackedColumn, rows);
    }
    this.#appender.appendDataChunk(chunk);
  }

  async copy(sql: string): Promise<void> {
    this.#appender.closeSync();
    await this.#connection.run(sql);
  }

  /** With the connection the table is gone. */
  end(): void {
    this.#connection.closeSync();
  }
}

let database: DuckDatabase | undefined;
let staging: Staging | undefined;

async function handle(request: WriteRequest): Promise<void> {
  switch (request.kind) {
    case "open":
      database = await DuckDatabase.open(request.options);
      return;
    case "begin":
      endStaging();
      staging = await Staging.begin(database as DuckDatabase, request.columns);
      return;
    case "chunk":
      (staging as Staging).add(request.rows, request.columns);
      return;
    case "copy":
      await (staging as Staging).copy(request.sql);
      endStaging();
      return;
    case "close":
      endStaging();
      database?.close();
  }
}

function endStaging(): void {
  staging?.end();
  staging = undefined;
}

const port = parentPort as NonNullable<typeof parentPort>;
let work: Promise<void> = Promise.resolve();
port.on("message", (request: WriteRequest) => {
  work = work
    .then(() => handle(request))
    .then(
      () => port.postMessage({} satisfies WriteAnswer),
      (error: unknown) => {
        port.postMessage({ error: error instanceof Error ? error.message : String(error) } satisfies WriteAnswer);
      },
    );
});

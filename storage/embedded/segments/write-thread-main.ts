/** What runs in the thread of a {@link WriteThread}. */
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import {
  BIGINT,
  type DuckDBAppender,
  DuckDBBlobValue,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBPendingResultState,
  type DuckDBType,
  UBIGINT,
  UINTEGER,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { runInBackground } from "@sightline/model/background-thread.ts";
import { BLOCK_ROWS, BlockGrams } from "./block-grams.ts";
import { DuckDatabase } from "./duck-database.ts";
import { fillVector } from "./fill-vector.ts";
import { LetterGrams } from "./letter-grams.ts";
import type { ColumnType, PackedColumn } from "./packed-column.ts";
import { numberedRows, ROW_NUMBER } from "./segment-rows.ts";
import type { StagedColumn, WriteAnswer, WriteRequest } from "./write-protocol.ts";

const TYPES: Readonly<Record<ColumnType, DuckDBType>> = { VARCHAR, BIGINT, UBIGINT, UINTEGER, UTINYINT };

/** The rows of the segment that is being written, in a temporary table. */
class Staging {
  readonly #connection: DuckDBConnection;
  readonly #appender: DuckDBAppender;
  readonly #columns: readonly StagedColumn[];
  readonly #types: readonly DuckDBType[];

  readonly #grams: { readonly column: number; readonly found: LetterGrams } | undefined;

  private constructor(
    connection: DuckDBConnection,
    appender: DuckDBAppender,
    columns: readonly StagedColumn[],
    gramsOf: string | undefined,
  ) {
    const column = columns.findIndex(({ name }) => name === gramsOf);
    this.#grams = column < 0 ? undefined : { column, found: new LetterGrams() };
    this.#connection = connection;
    this.#appender = appender;
    this.#columns = columns;
    this.#types = columns.map(({ type }) => TYPES[type]);
  }

  static async begin(
    database: DuckDatabase,
    columns: readonly StagedColumn[],
    gramsOf: string | undefined,
  ): Promise<Staging> {
    const connection = await database.connect();
    await connection.run(`CREATE TEMP TABLE staged (${columns.map(({ name, type }) => `${name} ${type}`).join(", ")})`);
    return new Staging(connection, await connection.createAppender("staged"), columns, gramsOf);
  }

  add(rows: number, packed: readonly PackedColumn[]): void {
    // All texts of a chunk at once: what two neighbours make together is taken for something that is there.
    const heap = this.#grams && packed[this.#grams.column]?.heap;
    if (heap) this.#grams?.found.add(new Uint8Array(heap));
    const chunk = DuckDBDataChunk.create(this.#types, rows);
    for (const [number, { type }] of this.#columns.entries()) {
      fillVector(duckdb.data_chunk_get_vector(chunk.chunk, number), type, packed[number] as PackedColumn, rows);
    }
    this.#appender.appendDataChunk(chunk);
  }

  async copy(sql: string): Promise<WriteAnswer> {
    this.#appender.closeSync();
    await runHere(this.#connection, sql);
    return { grams: this.#grams?.found.bits };
  }

  /** With the connection the table is gone. */
  end(): void {
    this.#connection.closeSync();
  }
}

/**
 * Runs a statement on this thread. DuckDB would do so on one of the process' few threads for native calls, where others
 * wait for it.
 */
async function runHere(connection: DuckDBConnection, sql: string): Promise<void> {
  const pending = await connection.start(sql);
  for (;;) {
    const state = pending.runTask();
    // What is left of it is done by other threads.
    if (state === DuckDBPendingResultState.NO_TASKS_AVAILABLE) await sleep(1);
    else if (state !== DuckDBPendingResultState.RESULT_NOT_READY) break;
  }
  // When it failed, says why.
  await pending.getResult();
}

/** Block by block, as the texts of all may be more than there is memory for. */
async function blockGrams(
  database: DuckDatabase,
  { dataPath, rows, column }: Extract<WriteRequest, { kind: "block-grams" }>,
): Promise<Uint8Array> {
  const grams = new BlockGrams(new Uint8Array(BlockGrams.bytesForRows(rows)));
  const numbered = numberedRows({ dataPath, deletedPaths: [] });
  await database.withConnection(async (connection) => {
    for (let block = 0; block * BLOCK_ROWS < rows; block++) {
      const from = block * BLOCK_ROWS;
      const condition = `${ROW_NUMBER} >= ${from} AND ${ROW_NUMBER} < ${from + BLOCK_ROWS}`;
      const texts = `SELECT encode(string_agg(${column}, '')) FROM ${numbered} WHERE ${condition}`;
      const [value] = (await connection.runAndReadAll(texts)).getColumns()[0] ?? [];
      if (value instanceof DuckDBBlobValue) grams.add(block, value.bytes);
    }
  });
  return grams.bits;
}

let database: DuckDatabase | undefined;
let staging: Staging | undefined;

async function handle(request: WriteRequest): Promise<WriteAnswer> {
  switch (request.kind) {
    case "open":
      database = await DuckDatabase.open(request.options);
      return {};
    case "begin":
      endStaging();
      staging = await Staging.begin(database as DuckDatabase, request.columns, request.gramsOf);
      return {};
    case "chunk":
      (staging as Staging).add(request.rows, request.columns);
      return {};
    case "copy": {
      const answer = await (staging as Staging).copy(request.sql);
      endStaging();
      return answer;
    }
    case "execute": {
      const opened = database as DuckDatabase;
      await opened.withConnection((connection) => runHere(connection, request.sql));
      return {};
    }
    case "block-grams":
      return { grams: await blockGrams(database as DuckDatabase, request) };
    case "close":
      endStaging();
      database?.close();
      database = undefined;
      return {};
  }
}

function endStaging(): void {
  staging?.end();
  staging = undefined;
}

runInBackground();
const port = parentPort as NonNullable<typeof parentPort>;
let work: Promise<void> = Promise.resolve();
port.on("message", (request: WriteRequest) => {
  work = work
    .then(() => handle(request))
    .then(
      (answer) => port.postMessage(answer),
      (error: unknown) => {
        port.postMessage({ error: error instanceof Error ? error.message : String(error) } satisfies WriteAnswer);
      },
    );
});

import { mkdir, rm } from "node:fs/promises";
import {
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBResult,
  type DuckDBValue,
} from "@duckdb/node-api";
import { UnavailableError } from "@sightline/model/errors.ts";
import { Gate } from "./gate.ts";

export type DuckDatabaseOptions = {
  /** The only directory that SQL may read and write. */
  readonly dir: string;
  /** Where in it spilled data goes; emptied at first. */
  readonly temporary: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
};

/**
 * Native calls block a thread of libuv's pool (four by default) until they are done; more of them at a time than this
 * would keep file writes of the rest of the process waiting, fsync of the write-ahead log among them.
 */
const MAX_NATIVE_CALLS = 2;
/** That are open before somebody asks: beside other work each native call is one turn of the event loop more to wait for. */
const SPARE_CONNECTIONS = 4;
const MEASURE_EVERY_MS = 5_000;
const READ_RETRY_MS = 5_000;

/** An in-memory DuckDB that can touch nothing but one directory: no network, no extensions, no settings changed by SQL. */
export class DuckDatabase {
  readonly #instance: DuckDBInstance;
  readonly #gate = new Gate(MAX_NATIVE_CALLS);
  readonly #spare: DuckDBConnection[] = [];
  #isConnecting = false;
  #memoryBytes = 0;
  #measuredMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  private constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  static async open(options: DuckDatabaseOptions): Promise<DuckDatabase> {
    const temporary = `${options.dir}/${options.temporary}`;
    await rm(temporary, { recursive: true, force: true });
    // Not its parents: a store whose directory is away must not be made anew.
    await mkdir(temporary);
    const instance = await DuckDBInstance.create(":memory:", {
      memory_limit: `${Math.max(1, Math.floor(options.memoryLimitBytes / 1024))}KiB`,
      threads: String(options.threads),
      temp_directory: temporary,
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      preserve_insertion_order: "false",
      // Without, what was freed is not given back to the system until much more is.
      allocator_background_threads: "true",
    });
    const database = new DuckDatabase(instance);
    await database.withConnection(async (connection) => {
      await connection.run("SET parquet_metadata_cache = true");
      await connection.run(`SET allowed_directories = [${quoteText(options.dir)}]`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
    });
    return database;
  }

  /** What its buffers take, as of some seconds ago. */
  get memoryBytes(): number {
    if (!this.#isClosed && performance.now() - this.#measuredMs > MEASURE_EVERY_MS) {
      this.#measuredMs = performance.now();
      this.#measure().catch(() => {});
    }
    return this.#memoryBytes;
  }

  async #measure(): Promise<void> {
    await this.withConnection(async (connection) => {
      const result = await connection.runAndReadAll("SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory()");
      this.#memoryBytes = Number(result.getRows()[0]?.[0] ?? 0);
    });
  }

  /** To be closed by the caller. */
  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  /** For statements that write. Temporary tables made in it are gone afterwards. */
  async withConnection<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.#instance.connect();
    try {
      return await use(connection);
    } finally {
      connection.closeSync();
    }
  }

  /**
   * Runs one query and yields its result as it is made, at most 2,048 rows at a time. Text of users must come as
   * `values` ($1, $2, …). When `signal` aborts, the query is interrupted and its reason thrown.
   */
  async *stream(sql: string, values: DuckDBValue[], signal: AbortSignal): AsyncGenerator<DuckDBDataChunk> {
    signal.throwIfAborted();
    const connection = this.#spare.pop() ?? (await this.#instance.connect());
    void this.#replenish();
    const interrupt = () => connection.interrupt();
    signal.addEventListener("abort", interrupt);
    try {
      const result = await this.#gate.run(() => execute(connection, sql, values), signal);
      for (;;) {
        const chunk = await this.#gate.run(() => result.fetchChunk(), signal);
        if (!chunk || chunk.rowCount === 0) return;
        yield chunk;
      }
    } catch (error) {
      signal.throwIfAborted();
      throw isReadFailure(error) ? unreadable(error) : error;
    } finally {
      signal.removeEventListener("abort", interrupt);
      connection.closeSync();
    }
  }

  async #replenish(): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    try {
      while (this.#spare.length < SPARE_CONNECTIONS && !this.#isClosed) {
        const connection = await this.#instance.connect();
        if (this.#isClosed) connection.closeSync();
        else this.#spare.push(connection);
      }
    } catch {
      // Whoever needs one is told why there is none.
    } finally {
      this.#isConnecting = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const connection of this.#spare.splice(0)) connection.closeSync();
    this.#instance.closeSync();
  }
}

/** One statement. Does in two native calls what a connection does in three, as it would take several statements. */
async function execute(connection: DuckDBConnection, sql: string, values: DuckDBValue[]): Promise<DuckDBResult> {
  const statement = await connection.prepare(sql);
  try {
    statement.bind(values);
    return await statement.stream();
  } finally {
    statement.destroySync();
  }
}

/** DuckDB tells kinds of errors apart by how their message begins. */
function isReadFailure(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith("IO Error");
}

function unreadable(cause: Error): UnavailableError {
  return new UnavailableError(`read rows from disk: ${cause.message}`, { cause, retryAfterMs: READ_RETRY_MS });
}

/** A string literal of SQL. Only for paths and the like that can't be parameters. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

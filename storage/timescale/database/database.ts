import { InvalidInputError } from "@sightline/model/errors.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { Component, Dependency } from "@sightline/model/ports.ts";
import { tlsOptions } from "@sightline/settings/client-tls.ts";
import { readSecret } from "@sightline/settings/setting-file.ts";
import pg from "pg";
import { Counter, Gauge, type Registry } from "prom-client";
import type { PostgresConfig } from "../config.ts";
import { asDatabaseError, codeOf } from "./database-error.ts";
import { Outage } from "./outage.ts";

export type DatabaseOptions = {
  readonly config: PostgresConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Says in `pg_stat_activity` and in metrics what it is for. */
  readonly purpose: string;
};
export type Client = pg.PoolClient;

const MIN_VERSION = 150_000;
const NEVER = new AbortController().signal;
/** One writes samples, the others are for maintenance and looking things up. */
const WRITE_CONNECTIONS = 4;
/**
 * Of those for queries to each server: they stay open, others for ten seconds. To make one takes longer than a short query, and what it
 * is asked first, too, as a session has nothing of the catalogs in memory at its beginning.
 */
const KEPT_CONNECTIONS = 2;

/**
 * Connections to one primary and its replicas. What fails for now is thrown as `UnavailableError`; nothing that is thrown or
 * logged holds the password.
 */
export class Database implements Component {
  readonly name = "PostgreSQL connections";
  readonly config: PostgresConfig;
  readonly #logger: Logger;
  readonly #primary: pg.Pool;
  readonly #writing: pg.Pool;
  readonly #replicas: readonly { readonly host: string; readonly server: string; readonly pool: pg.Pool }[];
  readonly #failures: Counter<"host">;
  readonly #outage: Outage;
  /** The primary and each replica. */
  readonly dependencies: readonly Dependency[];
  readonly #pools: ReadonlySet<pg.Pool>;
  #nextReplica = 0;
  #ended = false;

  constructor({ config, logger, registry, purpose }: DatabaseOptions) {
    this.config = config;
    this.#logger = logger;
    const { host, port } = config;
    const { max_connections: max } = config;
    const kept = Math.min(KEPT_CONNECTIONS, max - 1);
    this.#primary = this.#pool(host, port, purpose, max, kept);
    // Writes don't wait for queries; but a server may take one connection only.
    this.#writing = max > 1 ? this.#pool(host, port, purpose, WRITE_CONNECTIONS, 0) : this.#primary;
    this.#replicas = config.replicas.map((replica) => {
      const [name = "", number = 5432] = replica.split(":");
      return { host: replica, server: `${name}:${number}`, pool: this.#pool(name, Number(number), purpose, max, kept) };
    });
    const primary = { server: `${host}:${port}`, pool: this.#primary };
    this.dependencies = [primary, ...this.#replicas].map(({ server, pool }) => ({
      name: `PostgreSQL ${server}`,
      purpose,
      ping: async () => {
        await ping(pool);
        this.#outage.end();
      },
    }));
    const labels = { database: purpose };
    this.#failures = metric(registry, "sightline_postgres_failures_total", (name) => {
      const help = "Times that a server could not be reached or broke a connection off.";
      return new Counter({ name, help, labelNames: ["host"], registers: [registry] });
    });
    const waits = metric(registry, "sightline_postgres_waits_total", (name) => {
      const help = "Reads that waited for a server that was away, and whether they were answered then or failed.";
      return new Counter({ name, help, labelNames: ["database", "result"], registers: [registry] });
    });
    this.#outage = new Outage(config.restart_wait, (result) => waits.inc({ database: purpose, result }));
    this.#pools = new Set([this.#primary, this.#writing, ...this.#replicas.map(({ pool }) => pool)]);
    const pools = [...this.#pools];
    const gauge = metric(registry, "sightline_postgres_connections", (name) => {
      const help = "Open connections to PostgreSQL, by purpose and by what they do.";
      return new Gauge({ name, help, labelNames: ["database", "state"], registers: [registry] });
    });
    const collect = () => {
      const sum = (of: (pool: pg.Pool) => number) => pools.reduce((total, pool) => total + of(pool), 0);
      gauge.set(
        { ...labels, state: "idle" },
        sum(({ idleCount }) => idleCount),
      );
      gauge.set(
        { ...labels, state: "busy" },
        sum(({ totalCount, idleCount }) => totalCount - idleCount),
      );
      gauge.set(
        { ...labels, state: "awaited" },
        sum(({ waitingCount }) => waitingCount),
      );
    };
    collecting(gauge, collect);
  }

  /** Connections are made when they are first needed. */
  async start(): Promise<void> {}

  /** Throws `UnavailableError` when the primary can't be reached, `InvalidInputError` when it is too old. */
  async assertUsable(): Promise<void> {
    const version = await this.write("looking for the server", async (client) => {
      const { rows } = await client.query("SELECT current_setting('server_version_num')::int AS number");
      return rows[0].number as number;
    });
    if (version < MIN_VERSION) {
      throw new InvalidInputError(`PostgreSQL ${Math.floor(version / 10_000)} is too old: 15 or newer is needed`);
    }
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#outage.stop();
    await Promise.all(Array.from(this.#pools, (pool) => pool.end()));
  }

  /** A connection to the primary outside of a transaction. */
  async write<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    let client: Client | undefined;
    let failed = true;
    try {
      client = await this.#writing.connect();
      const result = await work(client);
      failed = false;
      return result;
    } catch (error) {
      await rollBack(client, error);
      throw this.#mapped(error, what, this.config.host, false);
    } finally {
      // After a failure nobody knows in which state the connection is.
      client?.release(failed);
    }
  }

  /** As {@link write}, for what only reads, so that it can {@link waitOut} a restart. */
  lookUp<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    return this.waitOut(NEVER, () => this.write(what, work));
  }

  /**
   * Does what may be done twice. While the server is away it is done again, for `restart_wait` at most; then the error is that of
   * the last try. Throws the reason of `signal` soon after it aborts.
   */
  async waitOut<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const patience = this.#outage.patience(signal);
    for (;;) {
      try {
        const result = await work();
        patience.answered();
        return result;
      } catch (error) {
        if (!(await patience.allows(error))) throw error;
      }
    }
  }

  /** One transaction on the primary; `what` is for error messages. */
  async transaction<T>(what: string, work: (client: Client) => Promise<T>): Promise<T> {
    return this.write(what, async (client) => {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    });
  }

  /**
   * The rows of one statement that only reads, on the primary: a single way there and back. Without a name for it, because connections
   * may share a session. Not for what may take long, as nothing cancels it but `write_timeout`.
   */
  async ask<Row extends pg.QueryResultRow>(
    what: string,
    sql: string,
    values: readonly unknown[],
    signal = NEVER,
  ): Promise<readonly Row[]> {
    return this.waitOut(signal, async () => {
      try {
        return (await this.#primary.query<Row>(sql, [...values])).rows;
      } catch (error) {
        throw this.#mapped(error, what, this.config.host, true);
      }
    });
  }

  /**
   * One transaction that only reads, on a replica when there are some. `begin` is SQL that follows BEGIN in the same
   * message. The statement under way is cancelled when `signal` aborts, and its reason thrown. While the server is away, `work` is
   * done again as by {@link waitOut}.
   */
  async read<T>(what: string, begin: string, signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
    const once = async function* (client: Client) {
      yield await work(client);
    };
    for await (const result of this.readEach(what, begin, signal, once)) return result;
    throw new Error("unreachable: the generator above yields once");
  }

  /**
   * {@link read} for what comes piece by piece; the transaction ends with the iteration, however that ends. Nothing is done again
   * once there was a piece.
   */
  async *readEach<T>(
    what: string,
    begin: string,
    signal: AbortSignal,
    work: (client: Client) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const patience = this.#outage.patience(signal);
    for (;;) {
      let hasPieces = false;
      try {
        for await (const piece of this.#readOnce(what, begin, signal, work)) {
          hasPieces = true;
          patience.answered();
          yield piece;
        }
        patience.answered();
        return;
      } catch (error) {
        if (hasPieces || !(await patience.allows(error))) throw error;
      }
    }
  }

  async *#readOnce<T>(
    what: string,
    begin: string,
    signal: AbortSignal,
    work: (client: Client) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    signal.throwIfAborted();
    const { host, pool } = await this.#readable();
    let client: Client | undefined;
    let state: "failed" | "done" | "left" = "left";
    const cancel = () => client && this.#cancel(pool, client);
    try {
      client = await pool.connect();
      signal.addEventListener("abort", cancel);
      await client.query(
        `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL statement_timeout = ${this.config.read_timeout}; ${begin}`,
      );
      yield* work(client);
      state = "done";
    } catch (error) {
      state = "failed";
      await rollBack(client, error);
      signal.throwIfAborted();
      throw this.#mapped(error, what, host, true);
    } finally {
      signal.removeEventListener("abort", cancel);
      // After a failure nobody knows in which state the connection is.
      if (state !== "failed") await client?.query("COMMIT").catch(() => (state = "failed"));
      // Nor when a cancellation sent to it may still be under way: it would hit somebody else's statement.
      client?.release(state === "failed" || signal.aborted);
    }
  }

  #mapped(error: unknown, what: string, host: string, isRead: boolean): unknown {
    const mapped = asDatabaseError(error, `${what} (${host})`, { isRead });
    if (mapped !== error) this.#failures.inc({ host });
    return mapped;
  }

  /** The next replica that answers, or the primary. */
  async #readable(): Promise<{ readonly host: string; readonly pool: pg.Pool }> {
    for (let tried = 0; tried < this.#replicas.length; tried++) {
      const replica = this.#replicas[this.#nextReplica++ % this.#replicas.length];
      if (!replica) break;
      try {
        (await replica.pool.connect()).release();
        return replica;
      } catch (error) {
        this.#failures.inc({ host: replica.host });
        this.#logger.warn("a read replica does not answer; another one is asked", { host: replica.host, error });
      }
    }
    return { host: this.config.host, pool: this.#primary };
  }

  #cancel(pool: pg.Pool, client: Client): void {
    // With one connection there is none to say it on.
    if (this.config.max_connections < 2) return;
    const { processID } = client as unknown as { processID: number };
    pool.query("SELECT pg_cancel_backend($1)", [processID]).catch((error: unknown) => {
      this.#logger.debug("a query could not be cancelled; its timeout will do", { error });
    });
  }

  #pool(host: string, port: number, purpose: string, max: number, min: number): pg.Pool {
    const { config } = this;
    const pool = new pg.Pool({
      host,
      port,
      database: config.database,
      user: config.user,
      ...(config.password_file !== "" && { password: () => readSecret(config.password_file, "password_file") }),
      ssl: tlsOptions(config, "tls_ca_file") ?? false,
      max,
      min,
      connectionTimeoutMillis: config.connect_timeout,
      keepAlive: true,
      application_name: `sightline ${purpose}`,
      // Not by options of the connection: poolers refuse them.
      onConnect: async (client) => {
        await client.query(sessionSettings(config));
      },
    });
    const brokenOff = (error: Error) => this.#logger.debug("PostgreSQL broke a connection off", { host, error });
    // Of idle connections.
    pool.on("error", brokenOff);
    // Of those in use, between two statements: the next one throws. Nobody listening would end the process.
    pool.on("connect", (client) => client.on("error", brokenOff));
    return pool;
  }
}

function sessionSettings({ schema, write_timeout, read_timeout }: PostgresConfig): string {
  const settings = {
    search_path: `${schema}, public`,
    jit: "off",
    statement_timeout: write_timeout,
    idle_in_transaction_session_timeout: Math.max(write_timeout, read_timeout),
    // The server notices after about 15 s, not two hours, that a client was cut off: it may hold locks.
    tcp_keepalives_idle: 5,
    tcp_keepalives_interval: 5,
    tcp_keepalives_count: 2,
  };
  return Object.entries(settings)
    .map(([name, value]) => `SET ${name} = ${value};`)
    .join(" ");
}

async function ping(pool: pg.Pool): Promise<void> {
  try {
    await pool.query("SELECT 1");
  } catch (error) {
    throw asDatabaseError(error, "asking for a sign of life", { isRead: true });
  }
}

/** A server may share one session between connections: then the next one would be in this one's failed transaction. */
async function rollBack(client: Client | undefined, error: unknown): Promise<void> {
  const isOfStatement = /^[0-9A-Z]{5}$/.test(codeOf(error)) && !/^(08|57P)/.test(codeOf(error));
  if (isOfStatement) await client?.query("ROLLBACK").catch(() => {});
}

/** Several databases of one process share their metrics. */
function metric<M>(registry: Registry, name: string, make: (name: string) => M): M {
  return (registry.getSingleMetric(name) as M | undefined) ?? make(name);
}

function collecting(gauge: Gauge<string>, collect: () => void): void {
  const holder = gauge as unknown as { collect?: () => void };
  const before = holder.collect;
  holder.collect = () => {
    before?.call(gauge);
    collect();
  };
}

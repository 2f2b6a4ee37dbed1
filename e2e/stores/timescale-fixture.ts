import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { MetricStoreFixture } from "@sightline/storage-conformance/metric-store-fixture.ts";
import type { RetentionFixture, RetentionSettings } from "@sightline/storage-conformance/metric-store-retention.ts";
import { type TimescaleMetricsConfig, timescaleMetricsConfig } from "@sightline/storage-timescale/config.ts";
import { Database } from "@sightline/storage-timescale/database/database.ts";
import { TimescaleMetricStore } from "@sightline/storage-timescale/metrics/timescale-metric-store.ts";
import { Registry } from "prom-client";
import type { DownsamplingSettings } from "../../server/downsampling-suite.ts";
import { timescaleRetentionOverrides } from "../../server/metric-storage.ts";
import type { DatabaseAddress } from "../services/postgres.ts";

export type StoreSettings = {
  readonly copyIn: boolean;
  readonly maxConnections: number;
  /** Whatever is written is packed or compressed by maintenance at once. */
  readonly packs?: boolean;
  /** Of the configuration, over those that tests have. */
  readonly config?: Readonly<Record<string, unknown>>;
};

/** Nothing is written but by `flush` and reads: else tests of what is not flushed would depend on the time they take. */
const TEST_CONFIG = { flush: { max_age: "1h" }, chunk: "1w", connect_timeout: "2m" };
const LOCK_NOT_AVAILABLE = "55P03";
let schemas = 0;

class PackingMetricStore extends TimescaleMetricStore {
  override async flush(): Promise<void> {
    await super.flush();
    await this.maintain();
  }
}

/** Stores in one schema of a database; those that are abandoned as by `kill -9` do nothing more. */
export class TimescaleStores {
  readonly database: Database;
  readonly errors: unknown[] = [];
  readonly #settings: StoreSettings;
  readonly #dir: string;
  readonly #schema: string;
  readonly config: TimescaleMetricsConfig;
  readonly #logger: Logger;
  readonly #opened: TimescaleMetricStore[] = [];

  constructor(address: DatabaseAddress, settings: StoreSettings) {
    this.#settings = settings;
    this.#dir = mkdtempSync(join(tmpdir(), "sightline-stores-"));
    this.#schema = (settings.config?.schema as string | undefined) ?? `test_${process.pid}_${++schemas}`;
    const { password, ...where } = address;
    this.config = timescaleMetricsConfig.parse({
      ...TEST_CONFIG,
      ...where,
      ...(password !== "" && { password_file: this.#passwordFile(password) }),
      schema: this.#schema,
      max_connections: settings.maxConnections,
      ...settings.config,
    });
    const wrong: Logger["error"] = (message, fields) => this.errors.push(message, fields);
    // A step of maintenance that fails is only warned of. One may wait in vain for a reader on a slow machine.
    const warned: Logger["warn"] = (message, fields) => {
      if (message.includes("maintenance") && !waitedInVain(fields?.error)) this.errors.push(message, fields);
    };
    this.#logger = { ...SILENT_LOGGER, error: wrong, warn: warned };
    this.database = new Database({
      config: this.config,
      logger: this.#logger,
      registry: new Registry(),
      purpose: "metrics",
    });
  }

  open(writer = "test", nowMs: () => number = Date.now): Promise<TimescaleMetricStore> {
    return this.#open(writer, nowMs);
  }

  /** One that only reads. */
  openReader(nowMs: () => number = Date.now): Promise<TimescaleMetricStore> {
    return this.#open(undefined, nowMs);
  }

  async #open(writer: string | undefined, nowMs: () => number): Promise<TimescaleMetricStore> {
    const Store = this.#settings.packs ? PackingMetricStore : TimescaleMetricStore;
    const { config } = this;
    const shared = { config, logger: this.#logger, registry: new Registry() };
    const store = new Store({
      ...shared,
      database: this.database,
      overrides: timescaleRetentionOverrides(shared),
      writer,
      copyIn: this.#settings.copyIn,
      nowMs,
    });
    this.#opened.push(store);
    await store.start();
    return store;
  }

  async dispose(): Promise<void> {
    for (const store of this.#opened) await store.stop();
    await this.database.write("dropping the schema", (client) =>
      client.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`),
    );
    await this.database.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #passwordFile(password: string): string {
    const path = join(this.#dir, "password");
    writeFileSync(path, `${password}\n`);
    chmodSync(path, 0o600);
    return path;
  }
}

/** Of a server for hundreds of stores one after the other: commits wait for no disk, and a schema is dropped at once. */
export const MANY_STORES = ["synchronous_commit=off", "max_locks_per_transaction=1024"];

/** What the conformance suite wants. */
export function fixtureOf(address: () => DatabaseAddress, settings: StoreSettings): () => Promise<MetricStoreFixture> {
  return async () => {
    const stores = new TimescaleStores(address(), settings);
    return {
      store: await stores.open(),
      reopen: () => stores.open(),
      dispose: () => disposed(stores),
    };
  };
}

/** What the suites of retention and of downsampling want. */
export function agingFixtureOf(address: () => DatabaseAddress, settings: StoreSettings) {
  return async (own: RetentionSettings | DownsamplingSettings, nowMs: () => number): Promise<RetentionFixture> => {
    const stores = new TimescaleStores(address(), { ...settings, config: { ...settings.config, ...own } });
    const store = await stores.open("test", nowMs);
    return { store, tick: async () => {}, maintain: () => store.maintain(), dispose: () => disposed(stores) };
  };
}

function waitedInVain(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error as { code?: unknown }).code === LOCK_NOT_AVAILABLE || waitedInVain(error.cause);
}

async function disposed(stores: TimescaleStores): Promise<void> {
  await stores.dispose();
  if (stores.errors.length > 0) throw new Error("the store logged errors", { cause: stores.errors });
}

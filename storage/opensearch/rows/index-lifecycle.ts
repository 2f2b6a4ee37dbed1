import type { Logger } from "@sightline/model/logger.ts";
import type { OpenSearchConfig } from "../config.ts";
import type { OpenSearchConnection } from "../connection/open-search-connection.ts";
import type { IndexNames } from "./index-names.ts";
import { SEARCH_OPTIONS } from "./search-rows.ts";
import type { StoreMetrics } from "./store-metrics.ts";

export type IndexLifecycleOptions = {
  readonly connection: OpenSearchConnection;
  readonly names: IndexNames;
  readonly config: Pick<OpenSearchConfig, "rollover">;
  /** Nothing is kept for longer. */
  readonly longestMs: () => number;
  readonly nowMs: () => number;
  readonly logger: Logger;
  readonly metrics: StoreMetrics;
};

type DataStreams = {
  readonly data_streams: readonly {
    readonly name: string;
    readonly indices: readonly { readonly index_name: string }[];
  }[];
};
type NewestTimes = {
  readonly aggregations?: {
    readonly indexes: {
      readonly buckets: readonly { readonly key: string; readonly newest: { readonly value: number } }[];
    };
  };
};
type Settings = Readonly<Record<string, { readonly settings: { readonly index: { readonly creation_date: string } } }>>;

const MAX_INDEXES = 10_000;
const NOT_FOUND = 404;

/**
 * Rolls data streams over and drops the indexes behind them once all they have is too old. It needs no plugin; several
 * processes may do it at once.
 */
export class IndexLifecycle {
  readonly #options: IndexLifecycleOptions;

  constructor(options: IndexLifecycleOptions) {
    this.#options = options;
  }

  async maintain(): Promise<void> {
    const { connection, names } = this.#options;
    const { body } = await connection.send<DataStreams>("list data streams", {
      method: "GET",
      path: `/_data_stream/${names.all}`,
      accept: [NOT_FOUND],
    });
    const streams = body.data_streams ?? [];
    for (const { name } of streams) await this.#rollOver(name);
    // The last one is written to.
    const closed = streams.flatMap(({ indices }) => indices.slice(0, -1).map(({ index_name }) => index_name));
    if (closed.length > 0) await this.#dropExpired(new Set(closed));
  }

  async #rollOver(dataStream: string): Promise<void> {
    const { max_age, max_bytes } = this.#options.config.rollover;
    await this.#options.connection.send("roll over", {
      method: "POST",
      path: `/${dataStream}/_rollover`,
      body: { conditions: { max_age: `${max_age}ms`, max_size: `${max_bytes}b` } },
    });
  }

  /** Rows may be older than their index, or younger: both have to be too old. */
  async #dropExpired(closed: ReadonlySet<string>): Promise<void> {
    const { connection, names, longestMs, nowMs, logger, metrics } = this.#options;
    const expiryMs = nowMs() - longestMs();
    const { body: settings } = await connection.send<Settings>("read index settings", {
      method: "GET",
      path: `/${names.all}/_settings/index.creation_date`,
      query: { expand_wildcards: "all" },
    });
    const old = [...closed].filter((index) => {
      const created = settings[index]?.settings.index.creation_date;
      return created !== undefined && Number(created) < expiryMs;
    });
    if (old.length === 0) return;
    // What is not refreshed yet would not be counted.
    await connection.send("refresh", { method: "POST", path: `/${names.all}/_refresh` });
    const newest = await this.#newestTimesMs();
    for (const index of old) {
      if ((newest.get(index) ?? 0) >= expiryMs) continue;
      await connection.send("drop index", { method: "DELETE", path: `/${index}`, accept: [NOT_FOUND] });
      metrics.expiredIndexes.inc();
      logger.info("dropped an index: all in it was older than the retention", { index });
    }
  }

  async #newestTimesMs(): Promise<ReadonlyMap<string, number>> {
    const newest = { max: { field: "time_ns" } };
    const { body } = await this.#options.connection.send<NewestTimes>("find newest rows", {
      method: "POST",
      path: `/${this.#options.names.all}/_search`,
      query: SEARCH_OPTIONS,
      body: { size: 0, aggs: { indexes: { terms: { field: "_index", size: MAX_INDEXES }, aggs: { newest } } } },
    });
    const buckets = body.aggregations?.indexes.buckets ?? [];
    return new Map(buckets.map(({ key, newest }) => [key, newest.value / 1e6]));
  }
}

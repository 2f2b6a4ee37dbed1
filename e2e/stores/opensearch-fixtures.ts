import { randomBytes } from "node:crypto";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { openSearchConfig } from "@sightline/storage-opensearch/config.ts";
import type { OpenSearchStoreOptions } from "@sightline/storage-opensearch/rows/rows-store.ts";
import { Registry } from "prom-client";
import { OpenSearchService } from "../services/opensearch.ts";

const DAY_MS = 86_400_000;
/** A node that is running anyhow. */
const GIVEN_URL = process.env.SIGHTLINE_OPENSEARCH_URL;

export type OpenSearchNode = { readonly url: string; dispose(): Promise<void> };

/** Why there can be no node; undefined when there can. */
export function openSearchMissing(): string | undefined {
  return GIVEN_URL === undefined ? OpenSearchService.missing() : undefined;
}

export async function openSearchNode(): Promise<OpenSearchNode> {
  return GIVEN_URL === undefined ? OpenSearchService.start() : { url: GIVEN_URL, dispose: async () => {} };
}

/** Stores with indexes of their own; rows leave their memory only when the test says so, unless `flush` says otherwise. */
export class OpenSearchStores {
  readonly url: string;
  readonly prefix = `t${randomBytes(6).toString("hex")}`;
  readonly #settings: Readonly<Record<string, unknown>>;

  constructor(url: string, settings: Readonly<Record<string, unknown>> = {}) {
    this.url = url;
    this.#settings = settings;
  }

  options(writer = "w1"): OpenSearchStoreOptions {
    const config = openSearchConfig.parse({
      nodes: [this.url],
      prefix: this.prefix,
      replicas: 0,
      // Nothing happens by itself: stores that are abandoned as by a crash do nothing more.
      flush: { max_age: "1h", max_rows: 1_000_000 },
      maintenance_interval: "1d",
      ...this.#settings,
    });
    const limits = { retention: 15 * DAY_MS, max_future: DAY_MS, deletion_grace: 1 };
    return { config, limits, writer, logger: SILENT_LOGGER, registry: new Registry() };
  }

  /** Empties the indexes, which takes much less time than to drop them and make new ones. */
  async empty(): Promise<void> {
    const path = `${this.prefix}-*/_delete_by_query?refresh=true&conflicts=proceed&expand_wildcards=all`;
    const body = JSON.stringify({ query: { match_all: {} } });
    await fetch(`${this.url}/${this.prefix}-*/_refresh?expand_wildcards=all`, { method: "POST" });
    const headers = { "content-type": "application/json" };
    const { ok, status } = await fetch(`${this.url}/${path}`, { method: "POST", headers, body });
    if (!ok) throw new Error(`the indexes can't be emptied: ${status}`);
  }

  async dispose(): Promise<void> {
    for (const path of [`_data_stream/${this.prefix}-*`, `${this.prefix}-*`, `_index_template/${this.prefix}-*`]) {
      await fetch(`${this.url}/${path}`, { method: "DELETE" });
    }
  }
}

type Store = Component & { maintain(): Promise<void> };

/** Fixtures as the conformance suites want them, several at once; each begins with empty indexes. */
export class OpenSearchFixtures<S extends Store> {
  readonly #url: string;
  readonly #make: (options: OpenSearchStoreOptions) => S;
  readonly #all: OpenSearchStores[] = [];
  readonly #free: OpenSearchStores[] = [];

  constructor(url: string, make: (options: OpenSearchStoreOptions) => S) {
    this.#url = url;
    this.#make = make;
  }

  async make() {
    const stores = this.#free.pop() ?? new OpenSearchStores(this.#url);
    if (!this.#all.includes(stores)) this.#all.push(stores);
    const opened: S[] = [];
    const reopen = async () => {
      const store = this.#make(stores.options());
      await store.start();
      opened.push(store);
      return store;
    };
    return {
      store: await reopen(),
      reopen,
      maintain: () => (opened.at(-1) as S).maintain(),
      dispose: async () => {
        await opened.at(-1)?.stop();
        await stores.empty();
        this.#free.push(stores);
      },
    };
  }

  async dispose(): Promise<void> {
    for (const stores of this.#all) await stores.dispose();
  }
}

import { randomBytes } from "node:crypto";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { openSearchConfig } from "@sightline/storage-opensearch/config.ts";
import type { OpenSearchStoreOptions } from "@sightline/storage-opensearch/rows/rows-store.ts";
import { Registry } from "prom-client";
import { OpenSearchService } from "../services/opensearch.ts";

const DAY_MS = 86_400_000;
/** A node that is running anyhow. */
const GIVEN_URL = process.env["SIGHTLINE_OPENSEARCH_URL"];

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
      flush: { max_age: "1h", max_rows: 1_000_000 },
      ...this.#settings,
    });
    const limits = { retention: 15 * DAY_MS, max_future: DAY_MS, deletion_grace: 1 };
    return { config, limits, writer, logger: SILENT_LOGGER, registry: new Registry() };
  }

  async dispose(): Promise<void> {
    for (const path of [`_data_stream/${this.prefix}-*`, `${this.prefix}-*`, `_index_template/${this.prefix}-*`]) {
      await fetch(`${this.url}/${path}`, { method: "DELETE" });
    }
  }
}

type Store = Component & { maintain(): Promise<void> };

/** As the conformance suites want it. */
export async function openSearchFixture<S extends Store>(url: string, make: (options: OpenSearchStoreOptions) => S) {
  const stores = new OpenSearchStores(url);
  const opened: S[] = [];
  const reopen = async () => {
    const store = make(stores.options());
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
      await stores.dispose();
    },
  };
}

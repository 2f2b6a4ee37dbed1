import { randomBytes } from "node:crypto";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Component } from "@sightline/model/ports.ts";
import { openSearchConfig } from "@sightline/storage-opensearch/config.ts";
import type { OpenSearchStoreOptions } from "@sightline/storage-opensearch/rows/rows-store.ts";
import { Registry } from "prom-client";

const DAY_MS = 86_400_000;

type Store = Component & { maintain(): Promise<void> };

/** Stores on a running cluster, each fixture with indexes of its own; undefined when there is none. */
export async function openSearchFixtures() {
  const url = process.env["SIGHTLINE_OPENSEARCH_URL"];
  if (!url) return undefined;
  const make = async <S extends Store>(open: (options: OpenSearchStoreOptions) => S) => {
    const prefix = `t${randomBytes(6).toString("hex")}`;
    // Rows leave memory only when the test says so.
    const config = openSearchConfig.parse({
      nodes: [url],
      prefix,
      replicas: 0,
      flush: { max_age: "1h", max_rows: 1_000_000 },
    });
    const opened: S[] = [];
    const reopen = async () => {
      const limits = { retention: 15 * DAY_MS, max_future: DAY_MS, deletion_grace: 1 };
      const store = open({ config, limits, writer: "w1", logger: SILENT_LOGGER, registry: new Registry() });
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
        for (const path of [`_data_stream/${prefix}-*`, `${prefix}-*`, `_index_template/${prefix}-*`]) {
          await fetch(`${url}/${path}`, { method: "DELETE" });
        }
      },
    };
  };
  return { url, make };
}

import type { LogBatch } from "@sightline/model/log-batch.ts";
import type { LogCountGroup, LogCountRequest, LogRequest, LogSelection } from "@sightline/model/log-store.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { describeLogFields } from "@sightline/storage-conformance/log-store-fields.ts";
import { append, bodies, on, select, T } from "@sightline/storage-conformance/log-store-fixture.ts";
import { describeLogQueries } from "@sightline/storage-conformance/log-store-queries.ts";
import { describeRandomLogHistories } from "@sightline/storage-conformance/log-store-random.ts";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { embeddedLogsConfig } from "../config.ts";
import { storeFixture } from "../segments/testing/store-fixture.ts";
import { EmbeddedLogStore } from "./embedded-log-store.ts";

/** A store that answers nothing before its row cache is full, and reads rows only as far as it is asked to. */
class WarmLogStore extends EmbeddedLogStore {
  override select(request: LogRequest, signal: AbortSignal): LogSelection {
    const { exact, batches } = super.select({ ...request, deferred: true }, signal);
    const fill = () => this.fillRowCache();
    async function* warm(): AsyncGenerator<LogBatch> {
      await fill();
      yield* batches;
    }
    return { exact, batches: warm() };
  }

  override async counts(request: LogCountRequest, signal: AbortSignal): Promise<readonly LogCountGroup[] | undefined> {
    await this.fillRowCache();
    return super.counts(request, signal);
  }

  get rowCacheBytes(): number {
    return this.memoryParts.find(({ name }) => name === "logs_row_cache")?.memoryBytes() ?? 0;
  }
}

const config = embeddedLogsConfig.parse({ deletion_grace: "1ms", max_attribute_columns: 8 });

const warmStore = () =>
  storeFixture((dir) => new WarmLogStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() }));

describeLogQueries("a store with a warm row cache", warmStore);
describeLogFields("a store with a warm row cache", warmStore);
describeRandomLogHistories(warmStore);

test("rows are kept in memory, and no longer than their segment", async () => {
  const { store, dispose } = await warmStore();
  try {
    for (let i = 0; i < 4; i++) {
      await append(store, [{ timeNs: T + BigInt(i), body: `line ${i}` }]);
      await store.flush();
    }
    expect(await bodies(store)).toHaveLength(4);
    const before = store.rowCacheBytes;
    expect(before).toBeGreaterThan(0);
    await store.maintain();
    expect(await bodies(store)).toHaveLength(4);
    expect(store.rowCacheBytes).toBeLessThan(before);
    const range = { startNs: T, endNs: T + 2n };
    const request = { tenant: DEFAULT_TENANT, range, matchers: [], line: [], attributes: [], description: "" };
    await store.deleteRows(request, on);
    expect(await bodies(store)).toEqual(["line 2", "line 3"]);
  } finally {
    await dispose();
  }
});

test("when memory runs short rows are read from files again", async () => {
  const { store, dispose } = await warmStore();
  try {
    await append(store, [{ timeNs: T, body: "line" }]);
    await store.flush();
    await store.fillRowCache();
    for (const { shrink } of store.memoryParts) shrink?.();
    await store.fillRowCache();
    expect(store.rowCacheBytes).toBe(0);
    expect(await select(store)).toHaveLength(1);
  } finally {
    await dispose();
  }
});

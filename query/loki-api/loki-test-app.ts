import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { type LogRow, logBatchOf } from "@sightline/storage-conformance/log-batch-of.ts";
import { embeddedLogsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedLogStore } from "@sightline/storage-embedded/logs/embedded-log-store.ts";
import fastify, { type FastifyInstance } from "fastify";
import { Registry } from "prom-client";
import { TEST_DEPS } from "../http/test-app.ts";
import { LogqlEngine } from "../logql/logql-engine.ts";
import { registerLokiApi } from "./routes.ts";

/** The clock of these tests. */
export const NOW_MS = 1_700_000_000_000;
export const NOW_NS = BigInt(NOW_MS) * 1_000_000n;

/** Loki's API over an embedded store that holds these records. `close` removes the store's files, too. */
export async function lokiApp(records: readonly LogRow[]): Promise<FastifyInstance> {
  return (await lokiAppOverStore(records)).app;
}

/** The same, and the store, which may be given more. */
export async function lokiAppOverStore(
  records: readonly LogRow[],
): Promise<{ readonly app: FastifyInstance; readonly store: EmbeddedLogStore }> {
  const dir = await mkdtemp(join(tmpdir(), "sightline-loki-api-"));
  const nowMs = () => NOW_MS;
  const store = new EmbeddedLogStore({
    dir,
    config: embeddedLogsConfig.parse({}),
    logger: SILENT_LOGGER,
    registry: new Registry(),
    nowMs,
  });
  await store.start();
  await store.append(DEFAULT_TENANT, logBatchOf(records), 1);
  const engine = new LogqlEngine({ store, limits: TEST_DEPS.config.logs });
  const app = fastify();
  const audit = { addEntry: async () => {}, entries: async () => [] };
  registerLokiApi(app, { ...TEST_DEPS, engine, store, nowMs, deletion: { store, audit } });
  app.addHook("onClose", async () => {
    await store.stop();
    await rm(dir, { recursive: true });
  });
  return { app, store };
}

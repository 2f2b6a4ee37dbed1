import type { Config } from "@sightline/config/schema.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { EmbeddedLogStore } from "@sightline/storage-embedded/logs/embedded-log-store.ts";
import { otelLikeLogs } from "@sightline/storage-embedded/logs/otel-like-logs.ts";
import { Registry } from "prom-client";
import type { Turns } from "./turns.ts";

const ROWS = 6_000;
const ROWS_PER_BATCH = 1_000;
const STEP_NS = 600_000_000n;
/** The last ones stay in memory. */
const BATCHES_IN_FILE = 5;

/**
 * A small store in `dir` with an hour of lines like those of instrumented services, up to now: a file, and what came since. Made in
 * several steps.
 */
export async function madeUpLogStore(
  dir: string,
  { config, turns }: { readonly config: Config; readonly turns: Pick<Turns, "next"> },
): Promise<EmbeddedLogStore> {
  const options = { dir, config: config.storage.logs, logger: SILENT_LOGGER, registry: new Registry() };
  const store = new EmbeddedLogStore(options);
  await turns.next();
  await store.start();
  try {
    const startNs = BigInt(Date.now()) * 1_000_000n - STEP_NS * BigInt(ROWS);
    let position = 0;
    for (const batch of otelLikeLogs({ rows: ROWS, rowsPerBatch: ROWS_PER_BATCH, startNs, stepNs: STEP_NS })) {
      await turns.next();
      await store.append(DEFAULT_TENANT, batch, ++position);
      if (position === BATCHES_IN_FILE) await store.flush();
    }
    await turns.next();
    await store.fillRowCache();
  } catch (error) {
    await store.stop();
    throw error;
  }
  return store;
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { formatReport } from "@sightline/query/promql/promqltest/report.ts";
import { runScripts, type TestStore } from "@sightline/query/promql/promqltest/runner.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { Registry } from "prom-client";

/** Scripts place their samples anywhere in time: some begin at the epoch, some lie far ahead of the clock. */
const SETTINGS = { retention: "100y", out_of_bounds_future: "100y" };

/** `npm run promqltest -- FILE…`: runs scripts in Prometheus' test language against the engine and an embedded store. */
async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    process.stderr.write("usage: npm run promqltest -- FILE...\n");
    return 2;
  }
  const reports = await runScripts(files, makeStore);
  process.stdout.write(formatReport(reports));
  return reports.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

async function makeStore(): Promise<TestStore> {
  const dir = await mkdtemp(join(tmpdir(), "sightline-promqltest-"));
  const config = embeddedMetricsConfig.parse(SETTINGS);
  const store = new EmbeddedMetricStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
  await store.start();
  const dispose = async () => {
    await store.stop();
    await rm(dir, { recursive: true });
  };
  return { store, dispose };
}

process.exitCode = await main(process.argv.slice(2));

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { formatReport } from "@sightline/query/promql/promqltest/report.ts";
import { runScripts, type TestStore } from "@sightline/query/promql/promqltest/runner.ts";
import { embeddedMetricsConfig } from "@sightline/storage-embedded/config.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { timescaleMetricsConfig } from "@sightline/storage-timescale/config.ts";
import { Database } from "@sightline/storage-timescale/database/database.ts";
import { TimescaleMetricStore } from "@sightline/storage-timescale/metrics/timescale-metric-store.ts";
import { Registry } from "prom-client";

const USAGE = `usage: npm run promqltest -- [--store embedded|timescale] FILE...
  --store timescale: in a database, given by --host, --port, --user, --database and the variable PGPASSWORD; it makes
  schemas of its own there and drops them. --insert: for a server that can't COPY in and takes one connection.
`;
/** Scripts place their samples anywhere in time: some begin at the epoch, some lie far ahead of the clock. */
const SETTINGS = { retention: "100y", out_of_bounds_future: "100y" };

type MakeStore = () => Promise<TestStore>;
type Flags = Readonly<Record<string, string | boolean | undefined>>;

const STORES: ReadonlyMap<string, (flags: Flags) => MakeStore> = new Map([
  ["embedded", () => makeEmbedded],
  ["timescale", makeTimescale],
]);

/** Runs scripts in Prometheus' test language against the engine and a store. */
async function main(args: readonly string[]): Promise<number> {
  const { values: flags, positionals: files } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      store: { type: "string", default: "embedded" },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "5432" },
      user: { type: "string", default: "sightline" },
      database: { type: "string", default: "sightline" },
      insert: { type: "boolean", default: false },
    },
  });
  const make = STORES.get(flags.store);
  if (files.length === 0 || !make) {
    process.stderr.write(USAGE);
    return 2;
  }
  const reports = await runScripts(files, make(flags));
  process.stdout.write(formatReport(reports));
  return reports.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

async function makeEmbedded(): Promise<TestStore> {
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

/** A schema per store. */
function makeTimescale({ host, port, user, database: name, insert }: Flags): MakeStore {
  let schemas = 0;
  return async () => {
    const schema = `promqltest_${process.pid}_${++schemas}`;
    const config = timescaleMetricsConfig.parse({
      ...SETTINGS,
      ...{ host, port: Number(port), user, database: name, schema },
      max_connections: insert ? 1 : 4,
      flush: { max_age: "1h" },
    });
    const shared = { config, logger: SILENT_LOGGER, registry: new Registry() };
    const database = new Database({ ...shared, purpose: "promqltest" });
    const store = new TimescaleMetricStore({ ...shared, database, writer: "promqltest", copyIn: !insert });
    await database.start();
    await store.start();
    const dispose = async () => {
      await store.stop();
      await database.write("dropping the schema", (client) => client.query(`DROP SCHEMA ${schema} CASCADE`));
      await database.stop();
    };
    return { store, dispose };
  };
}

process.exitCode = await main(process.argv.slice(2));

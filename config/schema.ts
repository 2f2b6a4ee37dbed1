import { alertingConfig } from "@sightline/alerting/config.ts";
import { collectorConfig } from "@sightline/collector/config.ts";
import { queryConfig } from "@sightline/query/config.ts";
import {
  embeddedLogsConfig,
  embeddedMetricsConfig,
  embeddedTracesConfig,
  storageConfig,
} from "@sightline/storage-embedded/config.ts";
import { openSearchConfig } from "@sightline/storage-opensearch/config.ts";
import { redisConfig } from "@sightline/storage-redis/config.ts";
import { catalogConfig, timescaleMetricsConfig } from "@sightline/storage-timescale/config.ts";
import { z } from "zod";
import { serverConfig } from "./server-config.ts";

/** The store's own keys are those of the embedded one, which is what most people have. */
const metricsConfig = embeddedMetricsConfig.extend({
  kind: z
    .enum(["embedded", "timescale"])
    .default("embedded")
    .describe(
      "embedded: in files of the data directory, by the keys below. timescale: in PostgreSQL, by those of timescale.",
    ),
  timescale: timescaleMetricsConfig.prefault({}).describe("PostgreSQL 15 or newer, with or without TimescaleDB"),
});

const rowsKind = z
  .enum(["embedded", "opensearch"])
  .default("embedded")
  .describe(
    "embedded: in files of the data directory. opensearch: in the cluster that storage.opensearch names; of the keys below retention, max_future and deletion_grace count there, too.",
  );

const allStorageConfig = storageConfig.extend({
  metrics: metricsConfig.prefault({}),
  logs: embeddedLogsConfig.extend({ kind: rowsKind }).prefault({}),
  traces: embeddedTracesConfig.extend({ kind: rowsKind }).prefault({}),
  opensearch: openSearchConfig.prefault({}).describe("The cluster, for logs and traces whose kind is opensearch"),
});

/** The whole configuration: each section is the schema of the package that reads it. Unknown keys are errors. */
export const configSchema = z.strictObject({
  ...serverConfig,
  catalog: catalogConfig.prefault({}),
  collector: collectorConfig.prefault({}),
  storage: allStorageConfig.prefault({}),
  redis: redisConfig.prefault({}),
  query: queryConfig.prefault({}),
  alerting: alertingConfig.prefault({}),
});

/** Validated, with every default filled in. */
export type Config = z.output<typeof configSchema>;

import { collectorConfig } from "@sightline/collector/config.ts";
import { queryConfig } from "@sightline/query/config.ts";
import { embeddedMetricsConfig, storageConfig } from "@sightline/storage-embedded/config.ts";
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

/** The whole configuration: each section is the schema of the package that reads it. Unknown keys are errors. */
export const configSchema = z.strictObject({
  ...serverConfig,
  catalog: catalogConfig.prefault({}),
  collector: collectorConfig.prefault({}),
  storage: storageConfig.extend({ metrics: metricsConfig.prefault({}) }).prefault({}),
  query: queryConfig.prefault({}),
});

/** Validated, with every default filled in. */
export type Config = z.output<typeof configSchema>;

import { collectorConfig } from "@sightline/collector/config.ts";
import { queryConfig } from "@sightline/query/config.ts";
import { storageConfig } from "@sightline/storage-embedded/config.ts";
import { z } from "zod";
import { serverConfig } from "./server-config.ts";

/** The whole configuration: each section is the schema of the package that reads it. Unknown keys are errors. */
export const configSchema = z.strictObject({
  ...serverConfig,
  collector: collectorConfig.prefault({}),
  storage: storageConfig.prefault({}),
  query: queryConfig.prefault({}),
});

/** Validated, with every default filled in. */
export type Config = z.output<typeof configSchema>;

import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describeLogStore } from "@sightline/storage-conformance/log-store.ts";
import { Registry } from "prom-client";
import { embeddedLogsConfig } from "../config.ts";
import { storeFixture } from "../segments/testing/store-fixture.ts";
import { EmbeddedLogStore } from "./embedded-log-store.ts";

const config = embeddedLogsConfig.parse({ deletion_grace: "1ms", max_attribute_columns: 8 });

describeLogStore("EmbeddedLogStore", () =>
  storeFixture((dir) => new EmbeddedLogStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() })),
);

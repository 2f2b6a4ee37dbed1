import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describeTraceStore } from "@sightline/storage-conformance/trace-store.ts";
import { Registry } from "prom-client";
import { embeddedTracesConfig } from "../config.ts";
import { storeFixture } from "../segments/testing/store-fixture.ts";
import { EmbeddedTraceStore } from "./embedded-trace-store.ts";

const config = embeddedTracesConfig.parse({ deletion_grace: "1ms", max_attribute_columns: 4 });

describeTraceStore("EmbeddedTraceStore", () =>
  storeFixture((dir) => new EmbeddedTraceStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() })),
);

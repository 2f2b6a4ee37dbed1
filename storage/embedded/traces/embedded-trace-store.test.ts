import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describeTraceStore } from "@sightline/storage-conformance/trace-store.ts";
import { Registry } from "prom-client";
import { embeddedTracesConfig } from "../config.ts";
import { EmbeddedTraceStore } from "./embedded-trace-store.ts";

describeTraceStore("EmbeddedTraceStore", async () => {
  const dir = await mkdtemp(join(tmpdir(), "traces-"));
  const opened: EmbeddedTraceStore[] = [];
  const open = async () => {
    const config = embeddedTracesConfig.parse({ deletion_grace: "1ms", max_attribute_columns: 4 });
    const store = new EmbeddedTraceStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
    await store.start();
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    reopen: open,
    maintain: () => (opened.at(-1) as EmbeddedTraceStore).maintain(),
    dispose: async () => {
      await opened.pop()?.stop();
      await rm(dir, { recursive: true });
      // What stopped as by `kill -9` has nowhere left to write to.
      for (const store of opened) await store.stop().catch(() => {});
    },
  };
});

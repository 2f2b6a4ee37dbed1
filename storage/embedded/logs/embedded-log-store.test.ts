import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { describeLogStore } from "@sightline/storage-conformance/log-store.ts";
import { Registry } from "prom-client";
import { embeddedLogsConfig } from "../config.ts";
import { EmbeddedLogStore } from "./embedded-log-store.ts";

describeLogStore("EmbeddedLogStore", async () => {
  // A name that would break out of a careless SQL literal or be taken for a pattern.
  const dir = join(await mkdtemp(join(tmpdir(), "logs-")), "it's [a] *dir");
  const opened: EmbeddedLogStore[] = [];
  const open = async () => {
    const config = embeddedLogsConfig.parse({ deletion_grace: "1ms", max_attribute_columns: 8 });
    const store = new EmbeddedLogStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
    await store.start();
    opened.push(store);
    return store;
  };
  return {
    store: await open(),
    reopen: open,
    maintain: () => (opened.at(-1) as EmbeddedLogStore).maintain(),
    dispose: async () => {
      await opened.pop()?.stop();
      await rm(join(dir, ".."), { recursive: true });
      // What stopped as by `kill -9` has nowhere left to write to.
      for (const store of opened) await store.stop().catch(() => {});
    },
  };
});

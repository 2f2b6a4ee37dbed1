/** Appends to the log in the directory given until it is killed, printing `position name` of what is acknowledged. */
import { writeSync } from "node:fs";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { collectorConfig } from "../../config.ts";
import { WriteAheadLog } from "../write-ahead-log.ts";

const { wal: config } = collectorConfig.parse({ wal: { segment_bytes: 65_536 } });
const dir = process.argv[2] as string;
const log = new WriteAheadLog({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
await log.start();

let count = 0;
async function appendForever(): Promise<void> {
  while (true) {
    const name = `${process.pid}-${count++}`;
    const body = Buffer.from(`${name}:${"x".repeat((count * 97) % 4_000)}`);
    const position = await log.append({
      tenant: DEFAULT_TENANT,
      protocol: "remote-write-1",
      encoding: "snappy",
      receivedAtMs: Date.now(),
      body,
    });
    writeSync(1, `${position} ${name}\n`);
  }
}
await Promise.all(Array.from({ length: 8 }, appendForever));

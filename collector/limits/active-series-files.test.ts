import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { tenantId } from "@sightline/model/tenant.ts";
import { Decoder } from "@sightline/proto/decoder.ts";
import { encodeV1 } from "@sightline/proto/remote-write/test-messages.ts";
import type { WireRequest } from "@sightline/proto/wire-request.ts";
import { Registry } from "prom-client";
import { afterAll, expect, test } from "vitest";
import { collectorConfig } from "../config.ts";
import { decoderOptions } from "../decoder-options.ts";
import { finish } from "../processors/steps.ts";
import { snappy } from "../testing/otlp-payloads.ts";
import { ActiveSeriesFiles } from "./active-series-files.ts";
import { Tenants } from "./tenants.ts";

const root = mkdtempSync(join(tmpdir(), "active-series-"));
afterAll(() => rmSync(root, { recursive: true }));
let dirs = 0;
const newDir = () => join(root, String(dirs++));

const TENANT = tenantId("shop");
const NOW = Date.now();

/** One life of a collector that has room for one series. */
async function life(stateDir: string) {
  const config = collectorConfig.parse({ tenants: { limits: { metrics: { max_active_series: 1 } } } });
  const decoder = new Decoder(decoderOptions(config));
  const tenants = new Tenants({
    config,
    logger: SILENT_LOGGER,
    registry: new Registry(),
    onDiscarded: () => {},
    stateDir,
  });
  await tenants.start();
  const request = (i: string): WireRequest => ({
    tenant: TENANT,
    protocol: "remote-write-1",
    encoding: "snappy",
    receivedAtMs: NOW,
    body: snappy(
      encodeV1({
        timeseries: [
          {
            labels: [
              ["__name__", "up"],
              ["i", i],
            ],
            samples: [{ value: 1, timestamp: NOW }],
          },
        ],
      }),
    ),
  });
  return {
    stop: () => tenants.stop(),
    replay: (i: string) => tenants.reprocess(request(i), decoder.decode(request(i))),
    /** True when the series has a place of its own. */
    write: (i: string) => finish(tenants.process(request(i), decoder.decode(request(i))))?.pass.overflowed === 0,
  };
}

test("who was active before a restart has a place after it, whoever comes first", async () => {
  const dir = newDir();
  const first = await life(dir);
  expect(first.write("a")).toBe(true);
  expect(first.write("b")).toBe(false);
  await first.stop();
  const second = await life(dir);
  expect(second.write("b")).toBe(false);
  expect(second.write("a")).toBe(true);
  await second.stop();
});

test("so has who is in the log after a crash", async () => {
  const after = await life(newDir());
  after.replay("a");
  expect(after.write("b")).toBe(false);
  expect(after.write("a")).toBe(true);
});

test("a damaged file counts for nothing", async () => {
  const dir = newDir();
  const files = new ActiveSeriesFiles(dir);
  await files.save(TENANT, new Map([["up", [{ hash: 1, seenMs: NOW }]]]));
  expect((await files.load()).size).toBe(1);
  writeFileSync(join(dir, `${TENANT}.series`), "nonsense");
  expect((await files.load()).size).toBe(0);
  const after = await life(dir);
  expect(after.write("b")).toBe(true);
});

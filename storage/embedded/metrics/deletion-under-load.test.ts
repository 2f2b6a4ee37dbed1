import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { metricBatchOf } from "@sightline/storage-conformance/metric-batch-of.ts";
import { EVERYTHING, onlySamples } from "@sightline/storage-conformance/metric-rows.ts";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { embeddedMetricsConfig } from "../config.ts";
import { EmbeddedMetricStore } from "./embedded-metric-store.ts";

const DAY = 86_400_000;
const BEGIN = Date.now() - 10 * DAY;
const BATCHES = 200;

let dir: string;
let store: EmbeddedMetricStore;
const errors: unknown[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "deletion-load-"));
  const logger: Logger = { ...SILENT_LOGGER, error: (message, fields) => errors.push(message, fields) };
  const config = embeddedMetricsConfig.parse({ head: { max_samples: 60, max_age: "0s" }, downsampling: "standard" });
  store = new EmbeddedMetricStore({ dir, config, logger, registry: new Registry() });
  await store.start();
});
afterEach(async () => {
  await store.stop();
  await rm(dir, { recursive: true });
});

test("while samples come, blocks are cut, merged, downsampled and purged, deletions take what was there and nothing else", async () => {
  let written = 0;
  /** How many batches were written when the newest deletion began, and when it ended. */
  let [began, ended] = [0, 0];
  const named = (name: string, i: number) => ({
    labels: { __name__: name, batch: name },
    samples: [[BEGIN + i * 1_800_000, i]] as const,
  });
  const matchersOf = (name: string) => [{ name: "__name__", op: "=", value: name } as const];

  const write = async () => {
    while (written < BATCHES) {
      try {
        await store.append(
          DEFAULT_TENANT,
          metricBatchOf([named("kept", written), named("gone", written)]),
          written + 1,
        );
        written++;
      } catch {
        await setTimeout(1);
      }
      if (written % 7 === 0) await setTimeout(1);
    }
  };
  const until = async (work: () => Promise<unknown>) => {
    while (written < BATCHES) {
      await work();
      await setTimeout(2);
    }
  };
  const remove = async () => {
    began = written;
    await store.administration.deleteSamples({
      tenant: DEFAULT_TENANT,
      range: EVERYTHING,
      matchers: matchersOf("gone"),
    });
    ended = written;
    const left = await onlySamples(store, { matchers: matchersOf("gone") });
    expect(left.filter(([, i]) => i < began)).toEqual([]);
  };
  const look = async () => {
    const before = written;
    const found = new Set((await onlySamples(store, { matchers: matchersOf("kept") })).map(([, i]) => i));
    for (let i = 0; i < before; i++) expect(found.has(i), `batch ${i} of ${before}`).toBe(true);
  };
  await Promise.all([
    write(),
    until(remove),
    until(look),
    until(() => store.administration.purgeDeleted(DEFAULT_TENANT)),
    until(() => store.maintain()),
    until(() => store.flush()),
  ]);
  await store.maintain();
  await look();
  const left = (await onlySamples(store, { matchers: matchersOf("gone") })).map(([, i]) => i);
  expect(left.filter((i) => i < began)).toEqual([]);
  const later = Array.from({ length: BATCHES - ended }, (_, i) => ended + i);
  expect(left.filter((i) => i >= ended)).toEqual(later);
  expect(errors).toEqual([]);
});

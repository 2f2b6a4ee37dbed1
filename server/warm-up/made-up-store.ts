import type { Config } from "@sightline/config/schema.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { SeriesKey } from "@sightline/model/metric-batch.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { ScrapeTarget, SERIES_PER_TARGET } from "@sightline/storage-embedded/metrics/otel-like-metrics.ts";
import { Registry } from "prom-client";
import type { Turns } from "./turns.ts";

const TARGETS = 3;
const INTERVAL_MS = 15_000;
const STEPS = 480;
/** Before these the store writes a block; the newest samples are in the head. */
const CUTS: readonly number[] = [330, 450];
/** At this one all counters begin again at zero. */
const RESTART = 380;
/** By target: numbers of every width, as requests, bytes and seconds are. */
const SCALES: readonly number[] = [1, 1_000_003, 1 / 1_024];

/**
 * A small store in `dir`, as one is after a restart: blocks that were read from disk, and what came since. It has two
 * hours of series like those of instrumented services, up to now. Made in many steps.
 */
export async function madeUpStore(
  dir: string,
  { config, turns }: { readonly config: Config; readonly turns: Pick<Turns, "next"> },
): Promise<EmbeddedMetricStore> {
  const options = { dir, config: config.storage.metrics, logger: SILENT_LOGGER };
  const targets = Array.from({ length: TARGETS }, (_, n) => new ScrapeTarget(n, INTERVAL_MS));
  const series = targets.flatMap(({ labels }) => labels.map((one) => new SeriesKey(one)));
  const beganMs = Date.now() - STEPS * INTERVAL_MS;
  let store = new EmbeddedMetricStore({ ...options, registry: new Registry() });
  try {
    for (let step = 0; step < STEPS; step++) {
      await turns.next();
      if (CUTS.includes(step)) await store.flush();
      if (step === CUTS.at(-1)) {
        store = new EmbeddedMetricStore({ ...options, registry: new Registry() });
        await store.start();
      }
      if (step === RESTART) for (const { values } of targets) values.fill(0);
      await store.append(DEFAULT_TENANT, scrape(targets, series, beganMs + step * INTERVAL_MS), step + 1);
    }
  } catch (error) {
    await store.stop();
    throw error;
  }
  return store;
}

function scrape(targets: readonly ScrapeTarget[], series: readonly SeriesKey[], timeMs: number) {
  const length = series.length;
  const timesMs = new Float64Array(length);
  const values = new Float64Array(length);
  targets.forEach((target, n) => {
    const at = n * SERIES_PER_TARGET;
    timesMs.fill(target.advance(timeMs), at, at + SERIES_PER_TARGET);
    const scale = SCALES[n] as number;
    for (let i = 0; i < SERIES_PER_TARGET; i++) values[at + i] = (target.values[i] as number) * scale;
  });
  const refs = Uint32Array.from({ length }, (_, i) => i);
  return { length, series, refs, timesMs, values, histograms: [], exemplars: [], metadata: [] };
}

/** What downsampling a day costs and saves: `node downsampling.bench.ts [TARGETS] [INTERVAL_S]`, 96 series a target. */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareLabels } from "@sightline/model/labels.ts";
import { NO_INFO } from "@sightline/model/metric-batch.ts";
import { Block, type CachedPart } from "../block.ts";
import { BlockWriter } from "../block-writer.ts";
import { ByteCache } from "../byte-cache.ts";
import { ScrapeTarget, SERIES_PER_TARGET } from "../otel-like-metrics.ts";
import { downsampleBlocks } from "./downsample-blocks.ts";
import { windowsPathOf } from "./windows-file.ts";

const TARGETS = Number(process.argv[2] ?? 10);
const INTERVAL_MS = Number(process.argv[3] ?? 15) * 1000;
const STEPS = 86_400_000 / INTERVAL_MS;
const SAMPLES = TARGETS * SERIES_PER_TARGET * STEPS;
const dir = await mkdtemp(join(tmpdir(), "downsampling-bench-"));
const cache = new ByteCache<CachedPart>(256 * 1024 * 1024);

const bytesOf = async (path: string) =>
  (await stat(path)).size +
  (await stat(windowsPathOf(path)).then(
    ({ size }) => size,
    () => 0,
  ));
const report = async (what: string, path: string, ms: number) => {
  const bytes = await bytesOf(path);
  const perSample = `${(bytes / SAMPLES).toFixed(3)} bytes per sample as sent`;
  process.stdout.write(
    `${what.padEnd(12)}${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${perSample}  ${Math.round(ms)} ms\n`,
  );
};

async function writeRaw(path: string): Promise<void> {
  const series = Array.from({ length: TARGETS }, (_, n) => {
    const target = new ScrapeTarget(n, INTERVAL_MS);
    const timesMs = new Float64Array(STEPS);
    const values = target.labels.map(() => new Float64Array(STEPS));
    for (let step = 0; step < STEPS; step++) {
      timesMs[step] = target.advance(step * INTERVAL_MS);
      values.forEach((of, i) => {
        of[step] = target.values[i] as number;
      });
    }
    return target.labels.map((labels, i) => ({ labels, timesMs, values: values[i] as Float64Array }));
  }).flat();
  series.sort((a, b) => compareLabels(a.labels, b.labels));
  const writer = await BlockWriter.create(path);
  for (const { labels, timesMs, values } of series) {
    writer.add(labels, NO_INFO, { timesMs, values, histograms: undefined });
    await writer.drain();
  }
  await writer.finish();
}

async function open(path: string, windows: boolean): Promise<Block> {
  const block = new Block(path, cache, windows ? new Block(windowsPathOf(path), cache) : undefined);
  block.acquire();
  return block;
}

try {
  process.stdout.write(`${TARGETS * SERIES_PER_TARGET} series, one sample each ${INTERVAL_MS / 1000} s, one day\n`);
  const raw = join(dir, "raw");
  await writeRaw(raw);
  await report("as it came", raw, 0);
  const block = await open(raw, false);
  let finer: { path: string; windows: boolean } | undefined;
  for (const [name, resolutionMs] of [
    ["1 m", 60_000],
    ["5 m", 300_000],
    ["1 h", 3_600_000],
  ] as const) {
    const path = join(dir, name);
    const from = finer?.windows ? await open(finer.path, true) : block;
    const windows = await from.windows();
    const source = await from.source();
    const began = performance.now();
    const input = windows ? { source, windows } : { sources: [source] };
    const [written] = await downsampleBlocks(input, resolutionMs, 0, path);
    await report(name, path, performance.now() - began);
    finer = { path, windows: written?.downsampled?.windows === true };
    if (from !== block) await from.release();
  }
  await block.release();
} finally {
  await rm(dir, { recursive: true });
}

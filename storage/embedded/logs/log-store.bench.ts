/** `node storage/embedded/logs/log-store.bench.ts [million rows]`: what taking in, keeping and asking for logs costs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { UnavailableError } from "@sightline/model/errors.ts";
import type { LineFilter } from "@sightline/model/line-filter.ts";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import type { Matcher } from "@sightline/model/matcher.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { embeddedLogsConfig } from "../config.ts";
import { cpuSeconds, directoryBytes, stallMeter, timeQuery } from "../segments/measure.ts";
import { EmbeddedLogStore } from "./embedded-log-store.ts";
import { NEEDLE, otelLikeLogs } from "./otel-like-logs.ts";

const ROWS = Math.round(Number(process.argv[2] ?? 1) * 1e6);
const HOUR_NS = 3_600_000_000_000n;
const endNs = BigInt(Date.now()) * 1_000_000n;
const startNs = endNs - HOUR_NS;
const signal = new AbortController().signal;

const dir = await mkdtemp(join(tmpdir(), "log-store-bench-"));
const store = new EmbeddedLogStore({
  dir,
  config: embeddedLogsConfig.parse({}),
  logger: SILENT_LOGGER,
  registry: new Registry(),
});
await store.start();
const worstStallMs = stallMeter();
await ingest();
await queries();
const beforeMerge = cpuSeconds();
await store.maintain();
await setTimeout(500); // the merged files are deleted in the background
console.log(`\nmerged: ${(cpuSeconds() - beforeMerge).toFixed(2)} CPU-s, stall ${worstStallMs().toFixed(0)} ms`);
console.log(`${((await directoryBytes(join(dir, "segments"))) / ROWS).toFixed(1)} bytes/row`);
await queries();
await store.stop();
await rm(dir, { recursive: true });

/** Batches are made while the clock stands still. */
async function ingest(): Promise<void> {
  let cpu = 0;
  let wallMs = 0;
  let position = 0;
  for (const batch of otelLikeLogs({ rows: ROWS, rowsPerBatch: 1_000, startNs, stepNs: HOUR_NS / BigInt(ROWS) })) {
    const [cpuStart, start] = [cpuSeconds(), performance.now()];
    position++;
    await appendWhenThereIsRoom(() => store.append(DEFAULT_TENANT, batch, position));
    // A flush at a time, so that making batches is not counted with it.
    if (position % 262 === 0) await store.flush();
    await setImmediate();
    cpu += cpuSeconds() - cpuStart;
    wallMs += performance.now() - start;
  }
  const [cpuStart, start] = [cpuSeconds(), performance.now()];
  await store.flush();
  cpu += cpuSeconds() - cpuStart;
  wallMs += performance.now() - start;
  console.log(
    `append and flush: ${((cpu / ROWS) * 1e6).toFixed(2)} CPU-s per million rows, ${((wallMs / ROWS) * 1e3).toFixed(2)} s`,
  );
  console.log(`${((await directoryBytes(join(dir, "segments"))) / ROWS).toFixed(1)} bytes/row`);
  console.log(`longest stall of the event loop: ${worstStallMs().toFixed(0)} ms (making batches included)\n`);
}

async function appendWhenThereIsRoom(append: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await append();
      return;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      await setTimeout(100);
    }
  }
}

async function queries(): Promise<void> {
  const service: Matcher[] = [{ name: "service_name", op: "=", value: "service-5" }];
  const contains = (text: string): LineFilter[] => [{ op: "|=", text }];
  const regex = (text: string): LineFilter[] => [{ op: "|~", text }];
  const select = (label: string, matchers: Matcher[], line: LineFilter[], limit = 1_000, newestFirst = true) =>
    timeQuery(label, async () => {
      const range = { startNs, endNs };
      let rows = 0;
      const { batches } = store.select({ tenant: DEFAULT_TENANT, range, matchers, line, newestFirst, limit }, signal);
      for await (const batch of batches) rows += batch.length;
      return rows;
    });
  await select("latest lines of a service", service, []);
  await select("latest lines of all", [], []);
  await select("oldest lines of all", [], [], 1_000, false);
  await select("needle, one service", service, contains(NEEDLE));
  await select("needle, all services", [], contains(NEEDLE));
  await select("absent word, all services", [], contains("no-such-word"));
  await select("regex, all services", [], regex("user_id=u-4999[0-9] "));
  await select("common regex, all services", [], regex("status=5\\d\\d"));
  await select("every line of a service", service, [], Number.MAX_SAFE_INTEGER);
  console.log(`longest stall of the event loop: ${worstStallMs().toFixed(0)} ms`);
}

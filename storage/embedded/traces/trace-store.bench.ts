/** `node storage/embedded/traces/trace-store.bench.ts [million spans]`: what taking in, keeping and finding spans costs. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { SILENT_LOGGER } from "@sightline/model/logger.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { Registry } from "prom-client";
import { embeddedTracesConfig } from "../config.ts";
import { cpuSeconds, directoryBytes, stallMeter, timeQuery } from "../segments/measure.ts";
import { EmbeddedTraceStore } from "./embedded-trace-store.ts";
import { otelLikeSpans, SPANS_PER_TRACE, traceIdOf } from "./otel-like-spans.ts";

const SPANS = Math.round(Number(process.argv[2] ?? 1) * 1e6);
const TRACES = SPANS / SPANS_PER_TRACE;
const HOUR_NS = 3_600_000_000_000n;
const startNs = BigInt(Date.now()) * 1_000_000n - HOUR_NS;
const signal = new AbortController().signal;

const dir = await mkdtemp(join(tmpdir(), "trace-store-bench-"));
const config = embeddedTracesConfig.parse({});
const store = new EmbeddedTraceStore({ dir, config, logger: SILENT_LOGGER, registry: new Registry() });
await store.start();
const worstStallMs = stallMeter();
let cpu = 0;
let position = 0;
const batches = otelLikeSpans({ traces: TRACES, tracesPerBatch: 50, startNs, stepNs: HOUR_NS / BigInt(TRACES) });
for (const batch of batches) {
  const start = cpuSeconds();
  await store.append(DEFAULT_TENANT, batch, ++position);
  // A flush at a time, so that making batches is not counted with it.
  if (position % 262 === 0) await store.flush();
  await setImmediate();
  cpu += cpuSeconds() - start;
}
const start = cpuSeconds();
await store.flush();
cpu += cpuSeconds() - start;
console.log(`append and flush: ${((cpu / SPANS) * 1e6).toFixed(2)} CPU-s per million spans`);
console.log(`${((await directoryBytes(join(dir, "segments"))) / SPANS).toFixed(1)} bytes/span`);
console.log(`longest stall of the event loop: ${worstStallMs().toFixed(0)} ms (making batches included)\n`);

let looked = 0;
const nextId = () => traceIdOf((++looked * 997) % TRACES);
const countSpans = async (id: string) =>
  (await store.trace(DEFAULT_TENANT, id, signal)).reduce((sum, { length }) => sum + length, 0);
await timeQuery("a trace by id", () => countSpans(nextId()), 25);
await timeQuery("a trace that is not there", () => countSpans("f".repeat(32)), 25);
await timeQuery("services", async () => (await store.services(DEFAULT_TENANT, signal)).length);
await timeQuery("operations", async () => (await store.operations(DEFAULT_TENANT, "service-1", signal)).length);
console.log(`longest stall of the event loop: ${worstStallMs().toFixed(0)} ms`);
await store.stop();
await rm(dir, { recursive: true });

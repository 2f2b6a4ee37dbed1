import { setTimeout as sleep } from "node:timers/promises";
import type { MetricsAt } from "./metrics-request.ts";
import type { DemoOptions } from "./options.ts";
import { OtlpSender } from "./otlp-sender.ts";
import type { Progress } from "./progress.ts";
import { ShopSimulation } from "./shop-simulation.ts";

const LIVE_TICK_MS = 500;
const LIVE_METRICS_MS = 10_000;
const BACKFILL_STEP_MS = 15_000;
/** Steps whose metrics travel in one request. */
const BACKFILL_STEPS_PER_REQUEST = 20;

/**
 * Runs the demo until it is over or `stop` aborts. Throws `EndpointError` when nothing takes what it sends.
 */
export async function runDemo(options: DemoOptions, progress: Progress, stop: AbortSignal): Promise<void> {
  const sender = new OtlpSender(options.endpoint);
  try {
    await sender.probe();
    const nowMs = Date.now();
    const simulation = new ShopSimulation({ ...options, startMs: nowMs - options.backfillMs });
    if (options.backfillMs > 0) {
      await backfill(simulation, sender, { ...options, endMs: nowMs, progress, stop });
    }
    if (options.follow && !stop.aborted) await live(simulation, sender, { ...options, startMs: nowMs, progress, stop });
    progress.finish(simulation.visits, sender.sent);
    sender.checkAnythingAccepted();
  } finally {
    await sender.close();
  }
}

async function backfill(
  simulation: ShopSimulation,
  sender: OtlpSender,
  run: { backfillMs: number; backfillTraces: number; endMs: number; progress: Progress; stop: AbortSignal },
): Promise<void> {
  const startMs = run.endMs - run.backfillMs;
  let waiting: MetricsAt[][] = [];
  for (let fromMs = startMs; fromMs < run.endMs && !run.stop.aborted; fromMs += BACKFILL_STEP_MS) {
    const toMs = Math.min(run.endMs, fromMs + BACKFILL_STEP_MS);
    simulation.run(fromMs, toMs, run.backfillTraces);
    waiting.push([...(await simulation.collect(toMs)).values()]);
    if (waiting.length < BACKFILL_STEPS_PER_REQUEST && toMs < run.endMs) continue;
    await sendEverything(simulation, sender, waiting);
    waiting = [];
    run.progress.update(simulation.visits, sender.sent, (toMs - startMs) / run.backfillMs);
  }
}

async function live(
  simulation: ShopSimulation,
  sender: OtlpSender,
  run: { startMs: number; durationMs: number | undefined; progress: Progress; stop: AbortSignal },
): Promise<void> {
  const endMs = run.startMs + (run.durationMs ?? Number.POSITIVE_INFINITY);
  let fromMs = run.startMs;
  let metricsAtMs = run.startMs;
  while (fromMs < endMs && !run.stop.aborted) {
    await sleep(LIVE_TICK_MS, undefined, { signal: run.stop }).catch(() => {});
    const toMs = Math.min(Date.now(), endMs);
    simulation.run(fromMs, toMs, 1);
    fromMs = toMs;
    const isLast = toMs >= endMs || run.stop.aborted;
    const isMetricsTime = isLast || toMs - metricsAtMs >= LIVE_METRICS_MS;
    const metrics = isMetricsTime ? [[...(await simulation.collect(toMs)).values()]] : [];
    if (isMetricsTime) metricsAtMs = toMs;
    await sendEverything(simulation, sender, metrics);
    run.progress.update(simulation.visits, sender.sent);
  }
}

/** `metrics` holds, step by step, what each service collected. */
async function sendEverything(
  simulation: ShopSimulation,
  sender: OtlpSender,
  metrics: readonly (readonly MetricsAt[])[],
): Promise<void> {
  const services = metrics[0]?.length ?? 0;
  await Promise.all([
    sender.sendSpans(simulation.takeSpans()),
    sender.sendLogs(simulation.takeLogs()),
    (async () => {
      for (let service = 0; service < services; service++) {
        await sender.sendMetrics(metrics.map((step) => step[service] as MetricsAt));
      }
    })(),
  ]);
}

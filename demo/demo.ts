import { setTimeout as sleep } from "node:timers/promises";
import type { MetricsAt } from "./metrics-request.ts";
import type { DemoOptions } from "./options.ts";
import { OtlpSender } from "./otlp-sender.ts";
import type { Progress } from "./progress.ts";
import { ShopSimulation } from "./shop-simulation.ts";

const LIVE_TICK_MS = 500;
/** What is behind, after a history or a slow answer, is made up for in steps: a step's spans are held in memory. */
const MAX_LIVE_STEP_MS = 5_000;
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
    const run = { ...options, nowMs, progress, stop };
    try {
      if (options.backfillMs > 0) await backfill(simulation, sender, run);
      if (options.follow && !stop.aborted) await live(simulation, sender, run);
    } finally {
      progress.finish(simulation.visits, sender.sent);
    }
    sender.checkAnythingAccepted();
  } finally {
    await sender.close();
  }
}

type Run = DemoOptions & {
  /** When the demo began: the history ends here. */
  readonly nowMs: number;
  readonly progress: Progress;
  readonly stop: AbortSignal;
};

async function backfill(simulation: ShopSimulation, sender: OtlpSender, run: Run): Promise<void> {
  const startMs = run.nowMs - run.backfillMs;
  let waiting: MetricsAt[][] = [];
  for (let fromMs = startMs; fromMs < run.nowMs && !run.stop.aborted; fromMs += BACKFILL_STEP_MS) {
    const toMs = Math.min(run.nowMs, fromMs + BACKFILL_STEP_MS);
    simulation.run(fromMs, toMs, run.backfillTraces);
    waiting.push([...(await simulation.collect(toMs)).values()]);
    if (waiting.length < BACKFILL_STEPS_PER_REQUEST && toMs < run.nowMs) continue;
    await sendEverything(simulation, sender, waiting);
    waiting = [];
    run.progress.update(simulation.visits, sender.sent, (toMs - startMs) / run.backfillMs);
  }
}

async function live(simulation: ShopSimulation, sender: OtlpSender, run: Run): Promise<void> {
  // The history was written in the meantime: go on where it ends.
  const endMs = Date.now() + (run.durationMs ?? Number.POSITIVE_INFINITY);
  let fromMs = run.nowMs;
  let metricsAtMs = 0;
  while (fromMs < endMs && !run.stop.aborted) {
    const waitMs = fromMs + LIVE_TICK_MS - Date.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: run.stop }).catch(() => {});
    const toMs = Math.min(Date.now(), endMs, fromMs + MAX_LIVE_STEP_MS);
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

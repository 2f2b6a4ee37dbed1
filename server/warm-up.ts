import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeaderAuthenticator } from "@sightline/auth/header-authenticator.ts";
import type { Config } from "@sightline/config/schema.ts";
import { type Logger, SILENT_LOGGER } from "@sightline/model/logger.ts";
import { SeriesKey } from "@sightline/model/metric-batch.ts";
import type { Component, MetricStore } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT } from "@sightline/model/tenant.ts";
import { QueryTracker } from "@sightline/query/active-queries/query-tracker.ts";
import { QueryGate } from "@sightline/query/http/query-gate.ts";
import { registerPrometheusApi } from "@sightline/query/prometheus-api/routes.ts";
import { PromEngine } from "@sightline/query/promql/engine.ts";
import { EmbeddedMetricStore } from "@sightline/storage-embedded/metrics/embedded-metric-store.ts";
import { ScrapeTarget, SERIES_PER_TARGET } from "@sightline/storage-embedded/metrics/otel-like-metrics.ts";
import { Registry } from "prom-client";
import { HttpListener } from "./http-listener.ts";
import { OwnTraces } from "./self-telemetry/own-traces.ts";
import { serverFacts } from "./server-facts.ts";
import { VERSION } from "./version.ts";

const TARGETS = 3;
const INTERVAL_MS = 15_000;
const STEPS = 480;
/** Before these the store writes a block; the newest samples are in the head. */
const CUTS: readonly number[] = [330, 450];
/** At this one all counters begin again at zero. */
const RESTART = 380;
/** So much of the time that there is data of is asked for. */
const ASKED_STEPS = 240;
/** By then V8 has compiled what a query runs through. */
const ROUNDS = 40;
const ROUNDS_PER_HEAVY = 3;

type Question = readonly [path: string, parameters: Readonly<Record<string, string>>];

/** What dashboards ask, over the hour that is in the store: first what little work goes into, and so much time elsewhere. */
const LIGHT: readonly Question[] = [
  instant('http_requests_total{job="cart-service",method="GET",status="200"}'),
  range('http_requests_total{job="cart-service",method="GET",status="200"}', "15"),
  range('rate(http_requests_total{job="cart-service",method="GET"}[5m])', "60"),
  range('avg_over_time(gauge_1{job="cart-service"}[10m])', "300"),
  instant('http_request_duration_seconds_count{job="cart-service"}'),
  ["/api/v1/label/job/values", {}],
  ["/api/v1/label/pod/values", { "match[]": "http_requests_total" }],
  ["/api/v1/series", { "match[]": '{job="cart-service"}' }],
];
/** These are made of long loops, which V8 compiles soon. */
const HEAVY: readonly Question[] = [
  instant("sum by (job) (rate(http_requests_total[5m]))"),
  range("sum by (job) (rate(http_requests_total[5m]))", "15"),
  range("histogram_quantile(0.99, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))", "60"),
  instant("topk(10, rate(http_requests_total[5m]))"),
  range(
    'sum by (job) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (job) (rate(http_requests_total[5m]))',
    "60",
  ),
  range('sum by (method) (rate(http_requests_total{pod=~"(cart|search)-.+",status!~"2.."}[5m]))', "60"),
  instant('count by (__name__) ({job=~".+"})'),
];

function instant(query: string) {
  return ["/api/v1/query", { query }] as const;
}

function range(query: string, step: string) {
  return ["/api/v1/query_range", { query, step }] as const;
}

export type WarmUpOptions = {
  readonly config: Config;
  readonly logger: Logger;
  readonly maxDelayMs: number;
  /** How often it asks, for tests. */
  readonly rounds?: number;
};

/**
 * Asks made-up questions of a small store of its own, so that the first real ones need not wait for V8 to compile what
 * they run through, which takes several times as long as answering them. `start` waits for it only as long as
 * `maxDelayMs`; the rest goes on in the background. Opens a port of loopback meanwhile, and a directory for temporary files.
 */
export class WarmUp implements Component {
  readonly name = "warm-up";
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #maxDelayMs: number;
  readonly #rounds: number;
  readonly #traces = new OwnTraces({ submit: async () => {}, resource: { version: VERSION, instance: "" } });
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: WarmUpOptions) {
    this.#config = options.config;
    this.#logger = options.logger;
    this.#maxDelayMs = options.maxDelayMs;
    this.#rounds = options.rounds ?? ROUNDS;
  }

  async start(): Promise<void> {
    const began = performance.now();
    this.#running = this.#run(this.#stopping.signal).then(
      () => this.#logger.info("warmed up", { ms: Math.round(performance.now() - began) }),
      (error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#logger.warn("warming up failed; first queries are slower", { error });
      },
    );
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, this.#maxDelayMs))]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const dir = await mkdtemp(join(tmpdir(), "sightline-warm-up-"));
    const listener = new HttpListener({ key: "warm-up", hostPort: "127.0.0.1:0", logger: SILENT_LOGGER });
    try {
      const store = await this.#fill(dir);
      try {
        this.#serve(listener, store);
        await listener.start();
        for (let round = 0; round < this.#rounds; round++) {
          await askAll(listener.url, round % ROUNDS_PER_HEAVY === 0 ? [...LIGHT, ...HEAVY] : LIGHT, signal);
        }
      } finally {
        await listener.stop();
        await store.stop();
      }
    } finally {
      await this.#traces.stop();
      await rm(dir, { recursive: true, force: true });
    }
  }

  #serve(listener: HttpListener, store: MetricStore): void {
    const { query } = this.#config;
    const registry = new Registry();
    this.#traces.trace(listener.app);
    registerPrometheusApi(listener.app, {
      authenticator: new HeaderAuthenticator(),
      gate: new QueryGate({ maxConcurrent: 1, maxWaiting: 1, registry }),
      tracker: new QueryTracker({ maxTopQueries: 10, topWindowMs: 60_000 }),
      config: query,
      logger: SILENT_LOGGER,
      buildInfo: { version: VERSION, revision: "" },
      registry,
      engine: new PromEngine({ queryable: store, limits: query, registry }),
      store,
      server: serverFacts(this.#config, Date.now(), 0),
    });
  }

  /** A store as it is after a restart: blocks that were read from disk, and what came since. */
  async #fill(dir: string): Promise<MetricStore> {
    const options = { dir, config: this.#config.storage.metrics, logger: SILENT_LOGGER };
    const targets = Array.from({ length: TARGETS }, (_, n) => new ScrapeTarget(n, INTERVAL_MS));
    const series = targets.flatMap(({ labels }) => labels.map((one) => new SeriesKey(one)));
    const beganMs = Date.now() - STEPS * INTERVAL_MS;
    let store = new EmbeddedMetricStore({ ...options, registry: new Registry() });
    for (let step = 0; step < STEPS; step++) {
      if (CUTS.includes(step)) await store.flush();
      if (step === CUTS.at(-1)) {
        store = new EmbeddedMetricStore({ ...options, registry: new Registry() });
        await store.start();
      }
      if (step === RESTART) for (const { values } of targets) values.fill(0);
      await store.append(DEFAULT_TENANT, scrape(targets, series, beganMs + step * INTERVAL_MS), step + 1);
    }
    return store;
  }
}

function scrape(targets: readonly ScrapeTarget[], series: readonly SeriesKey[], timeMs: number) {
  const length = series.length;
  const timesMs = new Float64Array(length);
  const values = new Float64Array(length);
  targets.forEach((target, n) => {
    const at = n * SERIES_PER_TARGET;
    timesMs.fill(target.advance(timeMs), at, at + SERIES_PER_TARGET);
    values.set(target.values, at);
  });
  const refs = Uint32Array.from({ length }, (_, i) => i);
  return { length, series, refs, timesMs, values, histograms: [], exemplars: [], metadata: [] };
}

/** Over a connection of its own, as there is one for every client. */
async function askAll(base: string, questions: readonly Question[], signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const end = Date.now() / 1000;
  const times = { start: end - (ASKED_STEPS * INTERVAL_MS) / 1000, end, time: end };
  try {
    for (const [path, parameters] of questions) {
      signal.throwIfAborted();
      const url = new URL(path, base);
      for (const [name, value] of Object.entries({ ...times, ...parameters })) {
        url.searchParams.set(name, String(value));
      }
      await ask(url, agent);
    }
  } finally {
    agent.destroy();
  }
}

async function ask(url: URL, agent: Agent): Promise<void> {
  const [response] = (await once(request(url, { agent }).end(), "response")) as [IncomingMessage];
  await once(response.resume(), "end");
  if (response.statusCode !== 200) throw new Error(`${url.pathname}${url.search} was answered ${response.statusCode}`);
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "@sightline/config/schema.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { Logger } from "@sightline/model/logger.ts";
import type { MemoryGate } from "@sightline/model/memory-part.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { Component } from "@sightline/model/ports.ts";
import { DEFAULT_TENANT, SYSTEM_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import type { QueryGate } from "@sightline/query/http/query-gate.ts";
import { QueryMemory } from "@sightline/query/http/query-memory.ts";
import { registerPrometheusApi } from "@sightline/query/prometheus-api/routes.ts";
import { PromEngine } from "@sightline/query/promql/engine.ts";
import { MemoryResultsCache } from "@sightline/query/results-cache/memory-results-cache.ts";
import { RangeCache } from "@sightline/query/results-cache/range-cache.ts";
import type { FastifyInstance } from "fastify";
import { serverFacts } from "../server-facts.ts";
import { clientOf } from "./clients.ts";
import { HEAVY_QUESTIONS, LIGHT_QUESTIONS } from "./made-up-questions.ts";
import { madeUpStore } from "./made-up-store.ts";
import { askAll, type Manner, type Question } from "./question.ts";
import { storedQuestions } from "./stored-questions.ts";
import { type TemporaryApiDeps, withTemporaryApi } from "./temporary-api.ts";
import { Turns } from "./turns.ts";
import { findStoredLogs, warmUpLogs, warmUpStoredLogs } from "./warm-up-logs.ts";

/** By then V8 has compiled what a query runs through. */
const ROUNDS = 60;
const ROUNDS_PER_HEAVY = 5;
/**
 * Objects of each instance of Fastify have their own shape, and code that has seen but one is thrown away by V8 when it
 * meets the next: that of the real one.
 */
const INSTANCES = 5;
const STORED_ROUNDS = 80;
const STORED_ROUNDS_PER_HEAVY = 20;
const MAX_STORED_MS = 1_500;
const MAX_RESULTS_BYTES = 8 * 1024 * 1024;

type Times = ReadonlyMap<TenantId, number>;
export type WarmableStore = MetricStore & { newestTimes(signal: AbortSignal): Times | Promise<Times> };
export type WarmUpOptions = {
  readonly config: Config;
  readonly logger: Logger;
  readonly maxDelayMs: number;
  /** What is really there: some of it is asked for, too. `newestTimes` tells which tenants have samples. */
  readonly store?: WarmableStore | undefined;
  /** Absent: logs are not asked for. */
  readonly logs?: LogStore | undefined;
  /** Of the real queries: while any of them runs, and shortly after, nothing is asked here. */
  readonly gate?: Pick<QueryGate, "idleMs"> | undefined;
  readonly memory?: MemoryGate | undefined;
  /** How often it asks, for tests. */
  readonly rounds?: number;
  /** How long it asks about what is stored, for tests. */
  readonly maxStoredMs?: number;
};

type Ask = (questions: readonly Question[], manner: Manner) => Promise<void>;
type Subject = {
  readonly store: MetricStore;
  readonly tenant: TenantId;
  readonly endMs: number;
  readonly isReal: boolean;
};

/**
 * Asks made-up questions of a small store of its own, then some of the real store, so that the first ones of users need
 * not wait for V8 to compile what they run through, which takes several times as long as answering them. `start` waits
 * for it only as long as `maxDelayMs`; the rest goes on in the background, when it is its turn ({@link Turns}). Opens ports of
 * loopback meanwhile, and a directory for temporary files. None of its questions is in the query log, the metrics or the traces.
 */
export class WarmUp implements Component {
  readonly name = "warm-up";
  readonly #options: WarmUpOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: WarmUpOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { logger, maxDelayMs } = this.#options;
    const began = performance.now();
    const turns = new Turns(this.#options.gate, this.#stopping.signal);
    this.#running = this.#run(turns).then(
      () => {
        const ms = Math.round(performance.now() - began);
        logger.info("warmed up", { ms, workedMs: Math.round(turns.workedMs) });
      },
      (error: unknown) => {
        if (!this.#stopping.signal.aborted) logger.warn("warming up failed; first queries are slower", { error });
      },
    );
    await Promise.race([this.#running, new Promise((resolve) => setTimeout(resolve, maxDelayMs))]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(turns: Turns): Promise<void> {
    const { config } = this.#options;
    await inTemporaryDir(async (dir) => {
      const store = await madeUpStore(dir, { config, turns });
      try {
        const subject = { store, tenant: DEFAULT_TENANT, endMs: Date.now(), isReal: false };
        for (let instance = 0; instance < INSTANCES; instance++) {
          await this.#withApi(subject, turns, (ask) => this.#askMadeUp(ask, instance));
        }
      } finally {
        await store.stop();
      }
    });
    const tenants = await this.#askStored(turns);
    await this.#askLogs(tenants, turns);
  }

  /**
   * Only where there are logs: it takes as long as all of the rest. Those that are made up are in an embedded store, so they
   * are of no use where another is asked.
   */
  async #askLogs(tenants: readonly TenantId[], turns: Turns): Promise<void> {
    const { config, memory, logs, rounds, maxStoredMs = MAX_STORED_MS } = this.#options;
    const stored = await (logs && findStoredLogs(logs, tenants, turns));
    if (!logs || !stored) return;
    const options = { config, memory, rounds, turns };
    if (config.storage.logs.kind === "embedded") await inTemporaryDir((dir) => warmUpLogs(dir, options));
    await warmUpStoredLogs(logs, stored, maxStoredMs, options);
  }

  async #askMadeUp(ask: Ask, instance: number): Promise<void> {
    const { rounds = ROUNDS } = this.#options;
    for (let round = 0; round < rounds / INSTANCES; round++) {
      const questions = round % ROUNDS_PER_HEAVY === 0 ? [...LIGHT_QUESTIONS, ...HEAVY_QUESTIONS] : LIGHT_QUESTIONS;
      await ask(questions, { client: clientOf(instance + round), fresh: false });
    }
  }

  /** Also brings to memory what the first questions about this data need. Returns who has samples, the newest first. */
  async #askStored(turns: Turns): Promise<readonly TenantId[]> {
    const { store, rounds = STORED_ROUNDS, maxStoredMs = MAX_STORED_MS } = this.#options;
    const times = await store?.newestTimes(turns.signal);
    const tenants = [...(times ?? [])].filter(([tenant]) => tenant !== SYSTEM_TENANT);
    const [newest] = tenants.sort(([, a], [, b]) => b - a);
    if (!store || !newest) return [];
    const subject = { store, tenant: newest[0], endMs: newest[1], isReal: true };
    const untilMs = turns.workedMs + maxStoredMs;
    const isTime = () => turns.workedMs < untilMs;
    const { light, heavy } = await storedQuestions(subject, untilMs, turns);
    await this.#withApi(subject, turns, async (ask) => {
      for (let round = 0; round < rounds && isTime(); round++) {
        const client = clientOf(round);
        await ask(light, { client, fresh: round % 2 === 0 });
        if (round % STORED_ROUNDS_PER_HEAVY !== 0) continue;
        for (const question of heavy) if (isTime()) await ask([question], { client, fresh: true });
      }
    });
    return tenants.map(([tenant]) => tenant);
  }

  /** Serves the store at an address of its own as long as `use` runs. */
  async #withApi({ store, tenant, endMs, isReal }: Subject, turns: Turns, use: (ask: Ask) => Promise<void>) {
    const { config, memory } = this.#options;
    const cacheConfig = config.query.results_cache;
    const rangeCache =
      store.changes &&
      new RangeCache({
        cache: new MemoryResultsCache({ maxBytes: MAX_RESULTS_BYTES }),
        changes: store.changes,
        config: cacheConfig,
      });
    const register = (app: FastifyInstance, deps: TemporaryApiDeps) =>
      registerPrometheusApi(app, {
        ...deps,
        engine: new PromEngine({
          queryable: store,
          limits: config.query,
          registry: deps.registry,
          rangeCache,
          // Code that has never counted would be thrown away by V8 when it first does.
          memory: new QueryMemory(config.query.max_memory),
        }),
        store,
        server: serverFacts(config, Date.now(), 0),
      });
    await withTemporaryApi({ config, memory, tenant: isReal ? tenant : undefined }, register, (api) =>
      use((questions, manner) => askAll(questions, { ...manner, ...api, endMs, turns })),
    );
  }
}

async function inTemporaryDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "sightline-warm-up-"));
  try {
    await use(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

import { join } from "node:path";
import type { Config } from "@sightline/config/schema.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { MemoryGate } from "@sightline/model/memory-part.ts";
import { DEFAULT_TENANT, type TenantId } from "@sightline/model/tenant.ts";
import { QueryMemory } from "@sightline/query/http/query-memory.ts";
import { LogqlEngine } from "@sightline/query/logql/logql-engine.ts";
import { registerLokiApi } from "@sightline/query/loki-api/routes.ts";
import { type Client, clientOf } from "./clients.ts";
import { LOG_QUESTIONS, storedLogQuestions } from "./log-questions.ts";
import { madeUpLogStore } from "./made-up-log-store.ts";
import { askAll, type Question } from "./question.ts";
import { withTemporaryApi } from "./temporary-api.ts";

const ROUNDS = 8;
/** As of metrics: code that has seen the objects of one alone is thrown away when the real one is asked. */
const INSTANCES = 4;
const STORED_ROUNDS = 10;

export type WarmUpLogsOptions = {
  readonly config: Config;
  readonly memory?: MemoryGate | undefined;
  /** Settles when nobody else asks, so that a question may be asked, or something else done that takes a while. */
  readonly turn: () => Promise<void>;
  readonly rounds?: number | undefined;
};

export type StoredLogs = { readonly tenant: TenantId; readonly questions: readonly Question[] };

type Ask = (questions: readonly Question[], client: Client) => Promise<void>;

/** Asks a small store of its own, which is made in `dir`, what people ask of logs. */
export async function warmUpLogs(dir: string, options: WarmUpLogsOptions, signal: AbortSignal): Promise<void> {
  const store = await madeUpLogStore(join(dir, "logs"), options);
  try {
    const rounds = (options.rounds ?? ROUNDS) / INSTANCES;
    for (let instance = 0; instance < INSTANCES; instance++) {
      await options.turn();
      await withLogs({ store, tenant: undefined }, options, signal, async (ask) => {
        for (let round = 0; round < rounds; round++) await ask(LOG_QUESTIONS, clientOf(instance + round));
      });
    }
  } finally {
    await store.stop();
  }
}

/** What to ask about logs that one of the tenants has stored lately; undefined when none has. */
export async function findStoredLogs(
  store: LogStore,
  tenants: readonly TenantId[],
  signal: AbortSignal,
): Promise<StoredLogs | undefined> {
  for (const tenant of new Set([...tenants, DEFAULT_TENANT])) {
    const questions = await storedLogQuestions(store, { tenant, endMs: Date.now() }, signal);
    if (questions.length > 0) return { tenant, questions };
  }
  return undefined;
}

/** Asks about them until `untilMs` of `performance.now()`. */
export async function warmUpStoredLogs(
  store: LogStore,
  { tenant, questions }: StoredLogs,
  untilMs: number,
  options: WarmUpLogsOptions,
  signal: AbortSignal,
): Promise<void> {
  await withLogs({ store, tenant }, options, signal, async (ask) => {
    for (let round = 0; round < STORED_ROUNDS && performance.now() < untilMs; round++) {
      await ask(questions, clientOf(round));
    }
  });
}

async function withLogs(
  { store, tenant }: { readonly store: LogStore; readonly tenant: TenantId | undefined },
  { config, memory, turn }: WarmUpLogsOptions,
  signal: AbortSignal,
  use: (ask: Ask) => Promise<void>,
): Promise<void> {
  const limits = config.query.logs;
  const engine = new LogqlEngine({ store, limits, memory: new QueryMemory(config.query.max_memory) });
  await withTemporaryApi(
    { config, memory, tenant },
    (app, deps) => registerLokiApi(app, { ...deps, engine, store }),
    (api) => {
      const asking = { ...api, fresh: false, endMs: Date.now(), signal, turn };
      return use((questions, client) => askAll(questions, { ...asking, client }));
    },
  );
}

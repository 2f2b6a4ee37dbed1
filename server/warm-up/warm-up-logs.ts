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
import type { Turns } from "./turns.ts";

const ROUNDS = 8;
/** As of metrics: code that has seen the objects of one alone is thrown away when the real one is asked. */
const INSTANCES = 4;
const STORED_ROUNDS = 10;
/** Looked at for logs. */
const MAX_TENANTS = 5;

export type WarmUpLogsOptions = {
  readonly config: Config;
  readonly memory?: MemoryGate | undefined;
  readonly turns: Turns;
  readonly rounds?: number | undefined;
};

export type StoredLogs = { readonly tenant: TenantId; readonly questions: readonly Question[] };

type Ask = (questions: readonly Question[], client: Client) => Promise<void>;

/** Asks a small store of its own, which is made in `dir`, what people ask of logs. */
export async function warmUpLogs(dir: string, options: WarmUpLogsOptions): Promise<void> {
  const store = await madeUpLogStore(join(dir, "logs"), options);
  try {
    const rounds = (options.rounds ?? ROUNDS) / INSTANCES;
    for (let instance = 0; instance < INSTANCES; instance++) {
      await options.turns.next();
      await withLogs({ store, tenant: undefined }, options, async (ask) => {
        for (let round = 0; round < rounds; round++) await ask(LOG_QUESTIONS, clientOf(instance + round));
      });
    }
  } finally {
    await store.stop();
  }
}

/** What to ask about logs that one of the first tenants has stored lately; undefined when none has. */
export async function findStoredLogs(
  store: LogStore,
  tenants: readonly TenantId[],
  turns: Turns,
): Promise<StoredLogs | undefined> {
  for (const tenant of new Set([...tenants.slice(0, MAX_TENANTS), DEFAULT_TENANT])) {
    await turns.next();
    const questions = await storedLogQuestions(store, { tenant, endMs: Date.now() }, turns.signal);
    if (questions.length > 0) return { tenant, questions };
  }
  return undefined;
}

/** Asks about them for so many milliseconds of work. */
export async function warmUpStoredLogs(
  store: LogStore,
  { tenant, questions }: StoredLogs,
  maxMs: number,
  options: WarmUpLogsOptions,
): Promise<void> {
  const { turns, rounds = STORED_ROUNDS } = options;
  const untilMs = turns.workedMs + maxMs;
  await withLogs({ store, tenant }, options, async (ask) => {
    const isTime = () => turns.workedMs < untilMs;
    for (let round = 0; round < rounds && isTime(); round++) {
      // Where there are many streams each takes a while.
      for (const question of questions) if (isTime()) await ask([question], clientOf(round));
    }
  });
}

async function withLogs(
  { store, tenant }: { readonly store: LogStore; readonly tenant: TenantId | undefined },
  { config, memory, turns }: WarmUpLogsOptions,
  use: (ask: Ask) => Promise<void>,
): Promise<void> {
  const limits = config.query.logs;
  const engine = new LogqlEngine({ store, limits, memory: new QueryMemory(config.query.max_memory) });
  await withTemporaryApi(
    { config, memory, tenant },
    (app, deps) => registerLokiApi(app, { ...deps, engine, store }),
    (api) => {
      const asking = { ...api, fresh: false, endMs: Date.now(), turns };
      return use((questions, client) => askAll(questions, { ...asking, client }));
    },
  );
}

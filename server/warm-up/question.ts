import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";

/** A request of Prometheus' API about the last `seconds`. */
export type Question = {
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly seconds: number;
};

export type Asking = {
  readonly base: string;
  /** Sent with every question. */
  readonly headers: Readonly<Record<string, string>>;
  /** What counts as now. */
  readonly endMs: number;
  /** Whether results that are kept must not be used. */
  readonly fresh: boolean;
  readonly signal: AbortSignal;
  /** Settles when a question may be asked. */
  readonly turn: () => Promise<void>;
};

export function instant(query: string): Question {
  return { path: "/api/v1/query", parameters: { query }, seconds: 0 };
}

export function range(query: string, seconds: number, step: number): Question {
  return { path: "/api/v1/query_range", parameters: { query, step: String(step) }, seconds };
}

/** Over a connection of its own, as there is one for every client. Throws unless every answer is a 200. */
export async function askAll(questions: readonly Question[], asking: Asking): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const question of questions) {
      asking.signal.throwIfAborted();
      await asking.turn();
      await ask(question, agent, asking);
    }
  } finally {
    agent.destroy();
  }
}

async function ask({ path, parameters, seconds }: Question, agent: Agent, { base, headers, endMs, fresh }: Asking) {
  const end = endMs / 1_000;
  const url = new URL(path, base);
  const all = { start: end - seconds, end, time: end, ...(fresh && { nocache: "1" }), ...parameters };
  for (const [name, value] of Object.entries(all)) {
    url.searchParams.set(name, String(value));
  }
  const sent = request(url, { agent, headers }).end();
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  await once(response.resume(), "end");
  if (response.statusCode !== 200) throw new Error(`${url.pathname}${url.search} was answered ${response.statusCode}`);
}

import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { Client } from "./clients.ts";
import type { Turns } from "./turns.ts";

/** A request of Prometheus' API about the last `seconds`. */
export type Question = {
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** It is about one moment. */
  readonly isInstant?: boolean;
};

/** How questions are asked. */
export type Manner = {
  readonly client: Client;
  /** Whether results that are kept must not be used. */
  readonly fresh: boolean;
};

export type Asking = Manner & {
  readonly base: string;
  /** Sent with every question. */
  readonly headers: Readonly<Record<string, string>>;
  /** What counts as now. */
  readonly endMs: number;
  /** Every question is a step. */
  readonly turns: Pick<Turns, "next">;
};

const FORM = "application/x-www-form-urlencoded";
/** These take their parameters from a form, too. */
const TAKES_FORM = /\/(?:query|query_range|series)$/;

export function instant(query: string): Question {
  return { path: "/api/v1/query", parameters: { query }, seconds: 0, isInstant: true };
}

export function range(query: string, seconds: number, step: number): Question {
  return { path: "/api/v1/query_range", parameters: { query, step: String(step) }, seconds };
}

/** Over a connection of its own, as there is one for every client. Throws unless every answer is a 200. */
export async function askAll(questions: readonly Question[], asking: Asking): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const question of questions) {
      await asking.turns.next();
      await ask(question, agent, asking);
    }
  } finally {
    agent.destroy();
  }
}

async function ask(question: Question, agent: Agent, asking: Asking): Promise<void> {
  const { base, client } = asking;
  const url = new URL(question.path, base);
  const parameters = parametersOf(question, asking).toString();
  const posts = client.posts && TAKES_FORM.test(question.path);
  if (!posts) url.search = parameters;
  const method = posts ? "POST" : "GET";
  const headers = { ...client.headers, ...(posts && { "content-type": FORM }), ...asking.headers };
  const sent = request(url, { agent, method, headers }).end(posts ? parameters : undefined);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  await once(response.resume(), "end");
  if (response.statusCode !== 200) throw new Error(`${url.pathname}?${parameters} was answered ${response.statusCode}`);
}

/** Those that clients send, and no others. */
function parametersOf({ parameters, seconds, isInstant }: Question, { client, endMs, fresh }: Asking): URLSearchParams {
  const end = endMs / 1_000;
  const times = isInstant ? { time: end } : { start: end - seconds, end };
  const all = new URLSearchParams(parameters);
  for (const [name, time] of Object.entries(times)) all.set(name, time.toFixed(client.decimals));
  if (fresh) all.set("nocache", "1");
  return all;
}

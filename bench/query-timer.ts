import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { TimedQuery } from "./queries.ts";

export type QueryTiming = {
  readonly name: string;
  readonly bytes: number;
  readonly firstMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

/** Questions that take long are asked less often: no more than `minRuns` times once `enoughMs` are over. */
export type Runs = { readonly minRuns: number; readonly maxRuns: number; readonly enoughMs: number };

/**
 * Asks one question several times over one connection, one after the other; the first answer is reported apart. Throws
 * unless it is a 200.
 */
export async function timeQuery(base: string, query: TimedQuery, runs: number | Runs): Promise<QueryTiming> {
  const { minRuns, maxRuns, enoughMs } =
    typeof runs === "number" ? { minRuns: runs, maxRuns: runs, enoughMs: 0 } : runs;
  const url = new URL(query.path, base);
  for (const [name, value] of Object.entries(query.params)) url.searchParams.set(name, value);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  let bytes = 0;
  const startedMs = performance.now();
  for (let run = 0; run < maxRuns; run++) {
    const began = performance.now();
    if (run >= minRuns && began - startedMs >= enoughMs) break;
    const { status, body } = await get(url, agent);
    times.push(performance.now() - began);
    bytes = body.length;
    if (status !== 200) throw new Error(`${query.name}: ${status} ${body.toString().slice(0, 300)}`);
  }
  agent.destroy();
  const [firstMs = 0, ...rest] = times;
  rest.sort((a, b) => a - b);
  const quantile = (q: number) => rest[Math.round(q * (rest.length - 1))] ?? firstMs;
  return { name: query.name, bytes, firstMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** Asks a server of its own until V8 has compiled what asks: the first server that is measured is not to pay for it. */
export async function warmTimer(): Promise<void> {
  const server = createServer((_, response) => response.end(Buffer.alloc(10_000)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  await timeQuery(`http://127.0.0.1:${port}`, { name: "warm-up", path: "/", params: { a: "1", b: "2" } }, 1_000);
  server.close();
}

/** Cheaper than `fetch`, whose own work would be a good part of the shortest answers. */
async function get(url: URL, agent: Agent): Promise<{ status: number; body: Buffer }> {
  const [response] = (await once(request(url, { agent }).end(), "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  response.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(response, "end");
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
}

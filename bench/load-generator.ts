/**
 * A process of its own, so that its work is not counted as the server's: encodes everything first, says `encoded`, waits for
 * a line on standard input, sends over a few connections and prints one line of JSON ({@link LoadResult}).
 */
import { Agent, request } from "node:http";
import { WORKLOADS } from "./workloads/registry.ts";
import type { Payload, Workload } from "./workloads/workload.ts";

export type LoadResult = {
  readonly accepted: number;
  readonly refused: number;
  readonly retries: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly sentBytes: number;
  readonly requestP50Ms: number;
  readonly requestP99Ms: number;
};

const CONNECTIONS = 4;
const MAX_ATTEMPTS = 600;
const RETRYABLE = new Set([429, 502, 503, 504]);

function post(agent: Agent, url: URL, workload: Workload, body: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { ...workload.headers, "content-length": body.length };
    const outgoing = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
      response.once("error", reject);
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

async function send(workload: Workload, payloads: readonly Payload[], url: URL): Promise<LoadResult> {
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let [accepted, refused, retries] = [0, 0, 0];
  const connection = async (first: number) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = first; i < payloads.length; i += CONNECTIONS) {
      const { body, items } = payloads[i] as Payload;
      for (let attempt = 1; ; attempt++) {
        const began = performance.now();
        const status = await post(agent, url, workload, body);
        latencies.push(performance.now() - began);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status >= 200 && status < 300) accepted += items;
        else if (RETRYABLE.has(status) && attempt < MAX_ATTEMPTS) {
          retries++;
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        } else refused += items;
        break;
      }
    }
    agent.destroy();
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, i) => connection(i)));
  const seconds = (performance.now() - began) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.round(q * (latencies.length - 1))] ?? 0;
  const sentBytes = payloads.reduce((sum, { body }) => sum + body.length, 0);
  return {
    accepted,
    refused,
    retries,
    statuses,
    seconds,
    sentBytes,
    requestP50Ms: quantile(0.5),
    requestP99Ms: quantile(0.99),
  };
}

const [name, base, items, endMs, seed] = process.argv.slice(2);
const workload = WORKLOADS.get(name ?? "");
if (!workload || base === undefined)
  throw new Error(`usage: load-generator ${[...WORKLOADS.keys()].join("|")} URL ITEMS END_MS SEED`);
const payloads = workload.encode({ items: Number(items), endMs: Number(endMs), seed: Number(seed) });
process.stdout.write("encoded\n");
process.stdin.once("data", async () => {
  const given = new URL(base);
  const result = await send(workload, payloads, given.pathname === "/" ? new URL(workload.path, base) : given);
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
});

import { Agent, get } from "node:http";
import { workerData } from "node:worker_threads";

const { url, queries, tenant, shared } = workerData as {
  url: string;
  queries: string[];
  tenant: string;
  shared: Float64Array;
};
const PAUSE_MS = 20;
const headers = { "x-scope-orgid": tenant };
const agent = new Agent({ keepAlive: true });
let askedAt: number | undefined;

function note(): void {
  if (askedAt !== undefined) shared[0] = Math.max(shared[0] as number, performance.now() - askedAt);
}

function fail(): void {
  shared[1] = (shared[1] as number) + 1;
}

function ask(query: string): Promise<void> {
  askedAt = performance.now();
  return new Promise((resolve) => {
    const done = () => {
      note();
      askedAt = undefined;
      resolve();
    };
    const request = get(`${url}/api/v1/query?query=${encodeURIComponent(query)}`, { agent, headers }, (response) => {
      if (response.statusCode !== 200) fail();
      response.resume().once("end", done);
    });
    request.once("error", () => {
      fail();
      done();
    });
  });
}

setInterval(note, PAUSE_MS);
for (let turn = 0; ; turn++) {
  await ask(queries[turn % queries.length] as string);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

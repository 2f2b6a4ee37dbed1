import { Worker } from "node:worker_threads";

/** Of the shared array: the longest wait since it was last forgotten, in milliseconds, and failures. */
const WORST = 0;
const FAILURES = 1;

/**
 * Asks small queries all the time, in a thread of its own so that a busy test does not look like a slow server, and
 * remembers how long the slowest took.
 */
export class Canary {
  readonly #worker: Worker;
  readonly #shared: Float64Array;

  constructor(url: string, queries: readonly string[], tenant = "default") {
    this.#shared = new Float64Array(new SharedArrayBuffer(16));
    this.#worker = new Worker(new URL("./canary-worker.ts", import.meta.url), {
      workerData: { url, queries, tenant, shared: this.#shared },
    });
  }

  /** What was worst since the last call; a query that is still waiting counts. */
  worst(): { readonly ms: number; readonly failures: number } {
    const worst = { ms: this.#shared[WORST] as number, failures: this.#shared[FAILURES] as number };
    this.#shared.fill(0);
    return worst;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

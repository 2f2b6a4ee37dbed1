import { UnavailableError } from "@sightline/model/errors.ts";
import { Counter, Gauge, type Registry } from "prom-client";

export type QueryGateOptions = {
  readonly maxConcurrent: number;
  /** Queries that may wait for their turn; more are refused. */
  readonly maxWaiting: number;
  readonly registry?: Registry | undefined;
};

type Waiter = { readonly enter: () => void; readonly refuse: (reason: unknown) => void };

/** Lets `query.max_concurrency` queries run at a time, over all APIs; the rest wait in the order they came. */
export class QueryGate {
  readonly #options: QueryGateOptions;
  readonly #waiting = new Set<Waiter>();
  #running = 0;
  readonly #refused: Counter | undefined;

  constructor(options: QueryGateOptions) {
    this.#options = options;
    const { registry } = options;
    if (!registry) return;
    const registers = [registry];
    this.#refused = new Counter({
      name: "sightline_queries_refused_total",
      help: "Queries refused because query.max_waiting others were waiting already",
      registers,
    });
    const running = () => this.#running;
    const waiting = () => this.#waiting.size;
    new Gauge({
      name: "sightline_queries_running",
      help: "Queries being evaluated",
      registers,
      collect() {
        this.set(running());
      },
    });
    new Gauge({
      name: "sightline_queries_waiting",
      help: "Queries waiting because query.max_concurrency others are running",
      registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  /** Throws `UnavailableError` when too many wait already, and the signal's reason when it aborts while waiting. */
  async run<T>(signal: AbortSignal, query: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#options.maxConcurrent) this.#running++;
    else await this.#wait(signal);
    try {
      return await query();
    } finally {
      const next = this.#waiting.values().next().value;
      // The place goes straight to the one who waits longest: `#running` stays as it is.
      if (next) next.enter();
      else this.#running--;
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { maxConcurrent, maxWaiting } = this.#options;
    if (this.#waiting.size >= maxWaiting) {
      this.#refused?.inc();
      throw new UnavailableError(
        `${maxConcurrent} queries are running (query.max_concurrency) and ${maxWaiting} waiting (query.max_waiting)`,
        { retryAfterMs: 1_000 },
      );
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = () => waiter.refuse(signal.reason);
      const waiter: Waiter = {
        enter: () => {
          leave();
          resolve();
        },
        refuse: (reason) => {
          leave();
          reject(reason);
        },
      };
      this.#waiting.add(waiter);
      signal.addEventListener("abort", onAbort);
    });
  }
}

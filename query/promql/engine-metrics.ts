import { Counter, Histogram, type Registry } from "prom-client";

/** How queries fare. `outcome` is `success` or the name of the error. */
export class EngineMetrics {
  readonly #queries: Counter<"kind" | "outcome">;
  readonly #seconds: Histogram<"kind">;
  readonly #samples: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#queries = new Counter({
      name: "sightline_promql_queries_total",
      help: "PromQL queries by kind and outcome",
      labelNames: ["kind", "outcome"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "sightline_promql_query_duration_seconds",
      help: "Time from receiving the text of a PromQL query to its result",
      labelNames: ["kind"],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    });
    this.#samples = new Counter({
      name: "sightline_promql_samples_total",
      help: "Samples read by PromQL queries, once per step that looked at them",
      registers,
    });
  }

  /** `startedMs` of `performance.now()`. Counts it once the answer to a short query has gone, which need not wait for it. */
  finished(kind: "instant" | "range", outcome: string, startedMs: number, samples: number): void {
    const seconds = (performance.now() - startedMs) / 1000;
    process.nextTick(() => {
      this.#queries.inc({ kind, outcome });
      this.#seconds.observe({ kind }, seconds);
      this.#samples.inc(samples);
    });
  }
}

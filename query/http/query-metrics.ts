import { SightlineError } from "@sightline/model/errors.ts";
import { Counter, Histogram, type Registry } from "prom-client";

const SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Measures all query APIs of a process: the second API finds the metrics that the first one made. */
export class QueryMetrics {
  readonly #seconds: Histogram<"route" | "status">;
  readonly #failures: Counter<"reason">;

  constructor(registry: Registry) {
    const registers = [registry];
    const seconds = "sightline_query_request_duration_seconds";
    this.#seconds =
      (registry.getSingleMetric(seconds) as Histogram<"route" | "status"> | undefined) ??
      new Histogram({
        name: seconds,
        help: "Time from a query's arrival to the last byte of its answer",
        labelNames: ["route", "status"],
        buckets: SECONDS,
        registers,
      });
    const failures = "sightline_query_failures_total";
    this.#failures =
      (registry.getSingleMetric(failures) as Counter<"reason"> | undefined) ??
      new Counter({
        name: failures,
        help: "Queries that failed, by the kind of error: LimitError is a limit of the section query, Bug a bug",
        labelNames: ["reason"],
        registers,
      });
  }

  /** `route` is the pattern, not the path: there are few. */
  answered(route: string, status: number, elapsedMs: number): void {
    this.#seconds.observe({ route, status: String(status) }, elapsedMs / 1_000);
  }

  failed(error: unknown): void {
    this.#failures.inc({ reason: error instanceof SightlineError ? error.name : "Bug" });
  }
}

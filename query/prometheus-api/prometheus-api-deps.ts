import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { RuleStates } from "@sightline/model/rules.ts";
import type { QueryApiDeps } from "../http/query-api.ts";
import type { PromEngine } from "../promql/engine.ts";
import type { ServerFacts } from "./server-facts.ts";

/** What Prometheus' API answers from; whoever wires the process brings it. */
export type PrometheusApiDeps = QueryApiDeps & {
  readonly engine: Pick<PromEngine, "instant" | "range" | "storedMatchers">;
  readonly store: Pick<
    MetricStore,
    "select" | "series" | "labelNames" | "labelValues" | "metadata" | "exemplars" | "administration"
  >;
  /** Where the metric store is to put its copy for a snapshot of this name. Absent: there are no snapshots. */
  readonly snapshotDir?: (name: string) => string;
  readonly server: ServerFacts;
  /** Absent: this server evaluates no rules. */
  readonly rules?: RuleStates | undefined;
  /** For `time` when a request names none; by default the system's clock. */
  readonly nowMs?: () => number;
};

import type { LogPatternStore } from "@sightline/model/log-pattern-store.ts";
import type { LogStore } from "@sightline/model/log-store.ts";
import type { MetricStore } from "@sightline/model/metric-store.ts";
import type { TraceStore } from "@sightline/model/trace-store.ts";
import type { QueryApiDeps } from "../http/query-api.ts";
import type { LogReader } from "../logql/log-reader.ts";
import type { LogqlEngine } from "../logql/logql-engine.ts";

/** What the pages about logs are answered from; whoever wires the process brings it. */
export type LogsApiDeps = QueryApiDeps & {
  readonly engine: Pick<LogqlEngine, "range">;
  readonly logs: LogReader & Pick<LogStore, "streams">;
  readonly traces: Pick<TraceStore, "spans">;
  readonly metrics: Pick<MetricStore, "series">;
  readonly patterns: LogPatternStore;
  /** For times that a request does not name; by default the system's clock. */
  readonly nowMs?: () => number;
};

import { OTLP_LOGS } from "./logs.ts";
import { OTLP_METRICS, REMOTE_WRITE_1, REMOTE_WRITE_2 } from "./metrics.ts";
import { OTLP_SPANS } from "./spans.ts";
import type { Workload } from "./workload.ts";

export const WORKLOADS: ReadonlyMap<string, Workload> = new Map([
  ["remote-write-1", REMOTE_WRITE_1],
  ["remote-write-2", REMOTE_WRITE_2],
  ["otlp-metrics", OTLP_METRICS],
  ["otlp-logs", OTLP_LOGS],
  ["otlp-spans", OTLP_SPANS],
]);

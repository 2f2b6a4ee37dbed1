import type { LogPatternStore, LogStore, MetricStore, TraceStore } from "@sightline/model/ports.ts";
import type { FastifyInstance } from "fastify";
import { type QueryApiDeps, type QueryRoute, registerQueryApi } from "../http/query-api.ts";
import type { LogReader } from "../logql/log-reader.ts";
import type { LogqlEngine } from "../logql/logql-engine.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import { attributesHandler } from "./attributes.ts";
import { changedPatternsHandler } from "./changed-patterns.ts";
import { facetsHandler } from "./facets.ts";
import { histogramHandler } from "./level-histogram.ts";
import { contextHandler } from "./record-context.ts";

export type LogsApiDeps = QueryApiDeps & {
  readonly engine: Pick<LogqlEngine, "range">;
  readonly logs: LogReader & Pick<LogStore, "streams">;
  readonly traces: Pick<TraceStore, "spans">;
  readonly metrics: Pick<MetricStore, "series">;
  readonly patterns: LogPatternStore;
  /** For times that a request does not name; by default the system's clock. */
  readonly nowMs?: () => number;
};

/** What a page about logs asks beside Loki's API: docs/logs-api.md. Answers are of the form of Prometheus' API. */
export function registerLogsApi(app: FastifyInstance, deps: LogsApiDeps): void {
  const route = (url: string, handler: QueryRoute["handler"]): QueryRoute => {
    return { methods: ["GET", "POST"], url: `/api/v1/${url}`, handler, gated: true };
  };
  registerQueryApi(app, deps, sendPrometheusFailure, [
    route("logs/patterns", changedPatternsHandler(deps)),
    route("logs/context", contextHandler(deps)),
    route("logs/histogram", histogramHandler(deps)),
    route("logs/facets", facetsHandler(deps)),
    route("attributes", attributesHandler(deps)),
  ]);
}

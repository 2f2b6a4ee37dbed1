import type { FastifyInstance } from "fastify";
import { type QueryRoute, registerQueryApi } from "../http/query-api.ts";
import { sendPrometheusFailure } from "../prometheus-api/error-response.ts";
import { attributesHandler } from "./attributes.ts";
import { changedPatternsHandler } from "./changed-patterns.ts";
import { facetsHandler } from "./facets.ts";
import { histogramHandler } from "./level-histogram.ts";
import type { LogsApiDeps } from "./logs-api-deps.ts";
import { contextHandler } from "./record-context.ts";

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

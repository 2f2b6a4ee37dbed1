import type { FastifyInstance } from "fastify";
import { type QueryHandler, type QueryRoute, registerQueryApi } from "../http/query-api.ts";
import { cleanTombstonesHandler, deleteSeriesHandler, snapshotHandler } from "./admin-handlers.ts";
import { churnHandler, tsdbStatusHandler } from "./cardinality-handlers.ts";
import { sendPrometheusFailure } from "./error-response.ts";
import { exemplarsHandler } from "./exemplars.ts";
import { featuresHandler } from "./features.ts";
import { labelNamesHandler, labelValuesHandler, seriesHandler } from "./label-handlers.ts";
import { metadataHandler } from "./metadata.ts";
import type { PrometheusApiDeps } from "./prometheus-api-deps.ts";
import { instantHandler, rangeHandler } from "./query-handlers.ts";
import { formatQueryHandler, parseQueryHandler } from "./query-text-handlers.ts";
import { alertmanagersHandler, alertsHandler, rulesHandler } from "./rule-handlers.ts";
import {
  buildInfoHandler,
  configHandler,
  flagsHandler,
  liveNotificationsHandler,
  notificationsHandler,
  runtimeInfoHandler,
  walReplayHandler,
} from "./status-handlers.ts";
import {
  relabelStepsHandler,
  scrapePoolConfigHandler,
  scrapePoolsHandler,
  targetMetadataHandler,
  targetsHandler,
} from "./target-handlers.ts";

/** Prometheus' HTTP API below `/api/v1`. */
export function registerPrometheusApi(app: FastifyInstance, deps: PrometheusApiDeps): void {
  registerQueryApi(app, deps, sendPrometheusFailure, [...queryRoutes(deps), ...serverRoutes(deps)]);
}

function queryRoutes(deps: PrometheusApiDeps): QueryRoute[] {
  return [
    { ...getOrPost("query", instantHandler(deps)), gated: true },
    { ...getOrPost("query_range", rangeHandler(deps)), gated: true },
    { ...getOrPost("query_exemplars", exemplarsHandler(deps)), gated: true },
    { ...getOrPost("series", seriesHandler(deps)), gated: true },
    { ...getOrPost("labels", labelNamesHandler(deps)), gated: true },
    { ...get("label/:name/values", labelValuesHandler(deps)), gated: true },
    { ...get("metadata", metadataHandler(deps)), gated: true },
    getOrPost("format_query", formatQueryHandler(deps)),
    getOrPost("parse_query", parseQueryHandler(deps)),
  ];
}

/** What Prometheus says about itself, its targets and its rules. */
function serverRoutes(deps: PrometheusApiDeps): QueryRoute[] {
  return [
    get("rules", rulesHandler(deps)),
    get("alerts", alertsHandler(deps)),
    get("alertmanagers", alertmanagersHandler(deps)),
    // Where Grafana looks for those of Loki.
    { ...get("rules", rulesHandler(deps)), url: "/prometheus/api/v1/rules" },
    { ...get("alerts", alertsHandler(deps)), url: "/prometheus/api/v1/alerts" },
    get("targets", targetsHandler),
    get("targets/metadata", targetMetadataHandler),
    get("targets/relabel_steps", relabelStepsHandler),
    get("scrape_pools", scrapePoolsHandler),
    get("scrape_pools/config", scrapePoolConfigHandler),
    get("status/buildinfo", buildInfoHandler(deps)),
    // The configuration of everybody is for those who run the server.
    { ...get("status/config", configHandler(deps)), scope: "admin", ofProcess: true },
    get("status/flags", flagsHandler(deps)),
    get("status/runtimeinfo", runtimeInfoHandler(deps)),
    { ...get("status/tsdb", tsdbStatusHandler(deps)), gated: true },
    { ...get("status/series_churn", churnHandler(deps)), gated: true },
    get("status/walreplay", walReplayHandler),
    get("features", featuresHandler(deps)),
    get("notifications", notificationsHandler),
    get("notifications/live", liveNotificationsHandler),
    admin("delete_series", deleteSeriesHandler(deps)),
    admin("clean_tombstones", cleanTombstonesHandler(deps)),
    admin("snapshot", snapshotHandler(deps)),
  ];
}

function admin(name: string, handler: QueryHandler): QueryRoute {
  return { methods: ["POST", "PUT"], url: `/api/v1/admin/tsdb/${name}`, handler, scope: "admin" };
}

function get(path: string, handler: QueryHandler): QueryRoute {
  return { methods: ["GET"], url: `/api/v1/${path}`, handler };
}

function getOrPost(path: string, handler: QueryHandler): QueryRoute {
  return { methods: ["GET", "POST"], url: `/api/v1/${path}`, handler };
}
